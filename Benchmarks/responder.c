// SPDX-License-Identifier: Apache-2.0
// The least that an HTTP server can do: one thread, epoll, and the same reply to whatever ends in an empty
// line. It is what vctld's figures are measured by.
// Usage: responder SOCKET BODY-BYTES
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVENTS = 64, BUFFER = 1 << 16 };

static char reply[BUFFER];
static size_t reply_length;

static void die(const char *what) {
    fprintf(stderr, "responder: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void prepare(size_t body) {
    const char *form = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n";
    int head = snprintf(reply, sizeof reply, form, body);
    reply_length = (size_t)head + body;
    if (reply_length > sizeof reply) die("the body is too long");
    memset(reply + head, '0', body);
}

static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) die("the path is too long");
    strcpy(address.sun_path, path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, sizeof address) < 0) die(path);
    if (listen(descriptor, 128) < 0) die("listen");
    return descriptor;
}

static void watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) < 0) die("epoll_ctl");
}

// Our only client sends each request whole, and the next one after the reply.
static void answer(int descriptor) {
    static char request[BUFFER];
    ssize_t count = recv(descriptor, request, sizeof request, 0);
    if (count < 4 || memcmp(request + count - 4, "\r\n\r\n", 4)) {
        close(descriptor);
    } else if (send(descriptor, reply, reply_length, MSG_NOSIGNAL) != (ssize_t)reply_length) {
        close(descriptor);
    }
}

int main(int count, char **words) {
    if (count != 3) return fprintf(stderr, "usage: responder SOCKET BODY-BYTES\n"), 64;
    prepare(strtoul(words[2], NULL, 10));
    int listener = listen_at(words[1]), epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int index = 0; index < ready; index++) {
            if (events[index].data.fd != listener) {
                answer(events[index].data.fd);
            } else {
                int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (client >= 0) watch(epoll, client);
            }
        }
    }
}
