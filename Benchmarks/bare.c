// SPDX-License-Identifier: Apache-2.0
// What `vctl vm create` does, without anything round it: a linked disk, a seed, one definition, one start.
// Prints how long each took, in milliseconds, as JSON. It keeps no journal, checks nothing, undoes nothing.
// Usage: bare DOMAIN.xml IMAGE DISK SEED-FOLDER SEED.iso
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void die(const char *what) {
    fprintf(stderr, "bare: %s failed: %s\n", what, virGetLastErrorMessage());
    exit(1);
}

static void run(char **words) {
    pid_t child;
    int status;
    if (posix_spawnp(&child, words[0], NULL, NULL, words, environ)) die(words[0]);
    if (waitpid(child, &status, 0) != child || status != 0) die(words[0]);
}

static char *contents(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) die(path);
    char *text = calloc(1, 1 << 20);
    size_t length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return length ? text : NULL;
}

static void make_disk(char *image, char *disk) {
    run((char *[]){"qemu-img", "create", "-q", "-f", "qcow2", "-o", "compat=1.1", "-F", "qcow2", "-b", image,
                   disk, NULL});
}

static void make_seed(char *folder, char *seed) {
    run((char *[]){"xorriso", "-as", "mkisofs", "-quiet", "-volid", "cidata", "-joliet", "-rock", "-uid", "0",
                   "-gid", "0", "-file-mode", "0400", "-dir-mode", "0500", "-output", seed, folder, NULL});
}

int main(int count, char **words) {
    if (count != 6) return fprintf(stderr, "usage: bare DOMAIN.xml IMAGE DISK SEED-FOLDER SEED.iso\n"), 64;
    double times[6] = {now()};
    make_disk(words[2], words[3]);
    times[1] = now();
    make_seed(words[4], words[5]);
    times[2] = now();
    virConnectPtr connection = virConnectOpen("qemu:///system");
    if (!connection) die("virConnectOpen");
    times[3] = now();
    char *xml = contents(words[1]);
    virDomainPtr domain = virDomainDefineXMLFlags(connection, xml, VIR_DOMAIN_DEFINE_VALIDATE);
    if (!domain) die("virDomainDefineXMLFlags");
    times[4] = now();
    if (virDomainCreate(domain) < 0) die("virDomainCreate");
    times[5] = now();
    virDomainFree(domain);
    virConnectClose(connection);
    printf(
        "{\"disk\":%.2f,\"seed\":%.2f,\"connect\":%.2f,\"define\":%.2f,\"start\":%.2f}\n",
        times[1] - times[0], times[2] - times[1], times[3] - times[2], times[4] - times[3],
        times[5] - times[4]);
    return 0;
}
