// SPDX-License-Identifier: Apache-2.0
// Load on an HTTP server behind a Unix socket: CLIENTS threads, each with one connection that stays open and
// one request under way. Prints {"requests","seconds","p50","p99","max"} with latencies in microseconds.
// Usage: load SOCKET TARGET CLIENTS SECONDS
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUCKETS = 200000, BUCKET_NANOSECONDS = 250, WARM_UP = 50, BUFFER = 1 << 16 };

struct client {
    pthread_t thread;
    uint64_t requests;
    uint32_t *buckets;
    uint64_t longest;
};

static const char *socket_path;
static char request[1024];
static size_t request_length;
static atomic_int ready, running, stopping;

static void die(const char *what) {
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int dial(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(socket_path) >= sizeof address.sun_path) die("the path is too long");
    strcpy(address.sun_path, socket_path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) die("socket");
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) die(socket_path);
    return descriptor;
}

static void send_request(int descriptor) {
    size_t sent = 0;
    while (sent < request_length) {
        ssize_t count = send(descriptor, request + sent, request_length - sent, MSG_NOSIGNAL);
        if (count < 0) die("send");
        sent += (size_t)count;
    }
}

// The whole length of the reply that `text` begins, or 0 where its head is not complete yet.
static size_t reply_length(char *text) {
    char *end = strstr(text, "\r\n\r\n");
    if (!end) return 0;
    if (strncmp(text, "HTTP/1.1 200", 12)) {
        fprintf(stderr, "load: %.*s\n", (int)(end - text), text);
        exit(1);
    }
    char *length = strcasestr(text, "\r\ncontent-length:");
    if (!length || length > end) die("a reply without a length");
    return (size_t)(end + 4 - text) + strtoul(length + 17, NULL, 10);
}

static void read_reply(int descriptor, char *buffer) {
    size_t have = 0, want = 0;
    do {
        ssize_t count = recv(descriptor, buffer + have, BUFFER - 1 - have, 0);
        if (count == 0) errno = ECONNRESET;
        if (count <= 0) die("recv");
        have += (size_t)count;
        buffer[have] = 0;
        if (!want) want = reply_length(buffer);
        if (want >= BUFFER) die("the reply is too long");
    } while (!want || have < want);
}

static void note(struct client *self, uint64_t nanoseconds) {
    uint64_t bucket = nanoseconds / BUCKET_NANOSECONDS;
    self->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    if (nanoseconds > self->longest) self->longest = nanoseconds;
    self->requests++;
}

static void *work(void *argument) {
    struct client *self = argument;
    char *buffer = malloc(BUFFER);
    int descriptor = dial();
    for (int turn = 0; turn < WARM_UP; turn++) {
        send_request(descriptor);
        read_reply(descriptor, buffer);
    }
    ready++;
    while (!running) usleep(1000);
    while (!stopping) {
        uint64_t start = now();
        send_request(descriptor);
        read_reply(descriptor, buffer);
        note(self, now() - start);
    }
    close(descriptor);
    free(buffer);
    return NULL;
}

// Of all clients together, in microseconds.
static double percentile(struct client *clients, int count, double part, uint64_t requests) {
    uint64_t seen = 0;
    for (int bucket = 0; bucket < BUCKETS; bucket++) {
        for (int index = 0; index < count; index++) seen += clients[index].buckets[bucket];
        if ((double)seen >= part * (double)requests) return (bucket + 0.5) * BUCKET_NANOSECONDS / 1000;
    }
    return 0;
}

int main(int count, char **words) {
    if (count != 5) return fprintf(stderr, "usage: load SOCKET TARGET CLIENTS SECONDS\n"), 64;
    socket_path = words[1];
    int clients = atoi(words[3]);
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: vctl\r\n\r\n", words[2]);
    if (length < 0 || (size_t)length >= sizeof request) die("the target is too long");
    request_length = (size_t)length;
    struct client *all = calloc((size_t)clients, sizeof *all);
    for (int index = 0; index < clients; index++) {
        all[index].buckets = calloc(BUCKETS, sizeof(uint32_t));
        if (pthread_create(&all[index].thread, NULL, work, &all[index])) die("pthread_create");
    }
    while (ready < clients) usleep(1000);
    uint64_t start = now();
    running = 1;
    usleep((useconds_t)(atof(words[4]) * 1e6));
    stopping = 1;
    uint64_t requests = 0, longest = 0;
    for (int index = 0; index < clients; index++) {
        pthread_join(all[index].thread, NULL);
        requests += all[index].requests;
        if (all[index].longest > longest) longest = all[index].longest;
    }
    double seconds = (double)(now() - start) / 1e9;
    printf(
        "{\"requests\":%llu,\"seconds\":%.3f,\"p50\":%.2f,\"p99\":%.2f,\"max\":%.1f}\n",
        (unsigned long long)requests, seconds, percentile(all, clients, 0.5, requests),
        percentile(all, clients, 0.99, requests), (double)longest / 1000);
    return 0;
}
