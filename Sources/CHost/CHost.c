/* SPDX-License-Identifier: Apache-2.0 */

/* ucred, SO_PEERGROUPS, fallocate and SEEK_DATA are declared for _GNU_SOURCE only, which Swift's importer
   does not set. */
#define _GNU_SOURCE
#include "CHost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
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

/* FNV-1a. */
static long long handle_of(int folder, const char *path, int flags)
{
    _Alignas(struct file_handle) char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
    struct file_handle *found = (struct file_handle *)room;
    int mount;
    found->handle_bytes = MAX_HANDLE_SZ;
    if (name_to_handle_at(folder, path, found, &mount, flags & AT_EMPTY_PATH) != 0) return 0;
    unsigned long long hash = 14695981039346656037ULL ^ (unsigned int)found->handle_type;
    for (unsigned int i = 0; i < found->handle_bytes; i++)
        hash = (hash ^ found->f_handle[i]) * 1099511628211ULL;
    return (long long)(hash >> 1) | 1;
}

static int identify(int folder, const char *path, int flags, struct chost_file *file)
{
    struct statx found;
    if (statx(folder, path, flags, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) return -1;
    file->device = makedev(found.stx_dev_major, found.stx_dev_minor);
    file->inode = found.stx_ino;
    file->links = found.stx_nlink;
    file->mode = found.stx_mode;
    file->born = file->handle = 0;
    if (found.stx_mask & STATX_BTIME)
        /* A file system may say what it likes. */
        file->born = (long long)((unsigned long long)found.stx_btime.tv_sec * 1000000000
                                 + found.stx_btime.tv_nsec);
    if (file->born == 0) file->handle = handle_of(folder, path, flags);
    return 0;
}

int chost_file_at(const char *path, struct chost_file *file)
{
    return identify(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, file);
}

int chost_file_of(int descriptor, struct chost_file *file)
{
    return identify(descriptor, "", AT_EMPTY_PATH, file);
}

int chost_share_bytes(int file, off_t first, off_t count)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = first, .l_len = count};
    return fcntl(file, F_OFD_SETLK, &lock);
}

int chost_bytes_are_locked(int file, off_t first, off_t count)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = first, .l_len = count};
    if (fcntl(file, F_OFD_GETLK, &lock) != 0) return -1;
    return lock.l_type != F_UNLCK;
}

/* Of these file systems a client says EAGAIN for want of a delegation or an oplock, too. */
static int is_on_server(int file)
{
    struct statfs system;
    if (fstatfs(file, &system) != 0) return -1;
    switch ((unsigned int)system.f_type) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC: return 1;
    default: return 0;
    }
}

int chost_take_lease(int file)
{
    int is_served = is_on_server(file);
    if (is_served != 0) {
        if (is_served > 0) errno = EOPNOTSUPP;
        return -1;
    }
    /* What the kernel tells by otherwise, SIGIO, would be the end of a process that does not expect it. */
    if (fcntl(file, F_SETSIG, SIGURG) != 0) return -1;
    return fcntl(file, F_SETLEASE, F_RDLCK);
}

int chost_return_lease(int file) { return fcntl(file, F_SETLEASE, F_UNLCK); }

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
