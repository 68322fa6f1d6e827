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

/* Which file it is. */
struct chost_file {
    unsigned long long device, inode, links;
    /* Nanoseconds since 1970; 0 where the file system does not say. */
    long long born;
    /* Where it does not: what its handle (open_by_handle_at) says, in short; 0 where it has none. The handle
       of an inode's next file is another. */
    long long handle;
    unsigned int mode;
};

/* Fills `file` with what is at `path`, of a symbolic link with the link itself; 0, or -1 with errno. A shim,
   since `statx`, which alone knows when a file was born, needs _GNU_SOURCE. */
int chost_file_at(const char *path, struct chost_file *file);

/* The same of what is open. */
int chost_file_of(int descriptor, struct chost_file *file);

/* Puts a shared lock on bytes, for as long as this opening of the file lives; 0, or -1 with errno. A shim,
   since locks that belong to an opening (`F_OFD_SETLK`) need _GNU_SOURCE. */
int chost_share_bytes(int file, off_t first, off_t count);

/* 1 when another opening has a lock on one of the bytes, 0 when none has, -1 with errno. A shim, since
   `F_OFD_GETLK` needs _GNU_SOURCE. */
int chost_bytes_are_locked(int file, off_t first, off_t count);

/* Takes a read lease on what is open for reading alone: who opens it for writing waits until it is given
   back, which is told by SIGURG, and so to nobody. 0, or -1 with errno: EAGAIN where a program has it open
   for writing, EOPNOTSUPP where a server would have to say so. A shim, since leases need _GNU_SOURCE. */
int chost_take_lease(int file);

/* 0, or -1 with errno. A shim as the one before. */
int chost_return_lease(int file);

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
