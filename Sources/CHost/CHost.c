/* SPDX-License-Identifier: Apache-2.0 */

/* ucred, SO_PEERGROUPS, fallocate and SEEK_DATA are declared for _GNU_SOURCE only, which Swift's importer
   does not set. */
#define _GNU_SOURCE
#include "CHost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

int chost_peer_of(int socket, struct chost_peer *peer)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
    peer->pid = credentials.pid;
    peer->uid = credentials.uid;
    peer->gid = credentials.gid;
    return 0;
}

int chost_peer_groups(int socket, gid_t *groups, int capacity)
{
    socklen_t size = (socklen_t)capacity * (socklen_t)sizeof *groups;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0) return -1;
    return (int)(size / sizeof *groups);
}

int chost_unix_address(const char *path, struct sockaddr_un *address)
{
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    return 0;
}

int chost_clock_is_kept(void)
{
    /* No mode: the kernel is asked, and nothing is set. */
    struct timex clock = {0};
    if (adjtimex(&clock) < 0) return -1;
    return (clock.status & STA_UNSYNC) == 0;
}

int chost_free_head(int file, off_t length)
{
    return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, length);
}

off_t chost_first_data(int file) { return lseek(file, 0, SEEK_DATA); }

int chost_make_tap(const char *name, int queues, long owner)
{
    struct ifreq request = {0};
    if (strlen(name) >= sizeof request.ifr_name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(request.ifr_name, name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (short)IFF_TUN_EXCL;
    if (queues > 1) request.ifr_flags |= IFF_MULTI_QUEUE;
    int file = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (file < 0) return -1;
    int failed = ioctl(file, TUNSETIFF, &request) != 0
        || (owner >= 0 && ioctl(file, TUNSETOWNER, (unsigned long)owner) != 0)
        || ioctl(file, TUNSETPERSIST, 1UL) != 0;
    int reason = errno;
    close(file);
    errno = reason;
    return failed ? -1 : 0;
}

int chost_leave_network(void) { return unshare(CLONE_NEWNET); }

int chost_enter_network(int space) { return setns(space, CLONE_NEWNET); }
