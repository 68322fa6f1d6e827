/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHOST_H
#define CHOST_H

#include <sys/types.h>
#include <sys/un.h>

/* The other end of a Unix socket at the time it connected, as the kernel attests it. */
struct chost_peer {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

/* Fills `peer` from SO_PEERCRED; 0, or -1 with errno. A shim, since `struct ucred` needs _GNU_SOURCE. */
int chost_peer_of(int socket, struct chost_peer *peer);

/* Fills `groups` with the peer's supplementary groups (SO_PEERGROUPS) and returns their number, or -1 with
   errno: ERANGE when there are more than `capacity`. A shim, since the constant needs _GNU_SOURCE. */
int chost_peer_groups(int socket, gid_t *groups, int capacity);

/* Fills `address` with `path`; 0, or -1 with ENAMETOOLONG. A shim, since `sun_path` is a tuple in Swift. */
int chost_unix_address(const char *path, struct sockaddr_un *address);

/* 1 when something keeps the kernel's clock right, 0 when nothing does, -1 with errno. A shim, since
   <sys/timex.h> is not in Swift's module of the C library. */
int chost_clock_is_kept(void);

/* Frees the blocks of the file's first `length` bytes; its size, and where all else is in it, stay. 0, or -1
   with errno. A shim, since `fallocate` needs _GNU_SOURCE. */
int chost_free_head(int file, off_t length);

/* Where the first byte is that is no hole, or -1 with errno: ENXIO where there is none. A shim, since
   `SEEK_DATA` needs _GNU_SOURCE. */
off_t chost_first_data(int file);

/* Makes a persistent TAP of that name, which must be free, with headers of virtio (vnet_hdr); `queues` above
   1: one that is opened once for each queue. `owner` may open it, -1: only who may administer the network.
   0, or -1 with errno: EBUSY where the name is taken. A shim, since <linux/if_tun.h> is not in Swift's module
   of the C library, and `ioctl` is variadic. */
int chost_make_tap(const char *name, int queues, long owner);

/* Puts the calling thread, and the threads that it starts, into a network namespace of its own; 0, or -1 with
   errno. A shim, since `unshare` needs _GNU_SOURCE. */
int chost_leave_network(void);

/* Puts the calling thread into the network namespace that a descriptor stands for; 0, or -1 with errno. A
   shim, since `setns` needs _GNU_SOURCE. */
int chost_enter_network(int space);

#endif
