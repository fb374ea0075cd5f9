/* The machine under the harness's control: its disk and its wall clock.

   Preloaded (LD_PRELOAD) into every process of a scene that needs it; SQLite and
   Python call the C library by name, so these take the place of its functions.

   MACHINE_DISK    the folder whose files are watched
   MACHINE_SAFE    the folder that holds, for each of them, its content at its last
                   fsync: what a power cut leaves. A file that was never synced is not
                   there. A file ".full" in it makes writes fail, the disk is full:
                   to files whose names begin with what it holds, so when empty to all.
   MACHINE_CLOCK   a file of 8 bytes, seconds that the wall clock is wrong by. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))
#define PATH 4096

static const char *disk, *safe;
static char full[PATH];
static volatile int64_t *wrong_by;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
    disk = getenv("MACHINE_DISK");
    safe = getenv("MACHINE_SAFE");
    if (safe) snprintf(full, sizeof full, "%s/.full", safe);
    const char *clock = getenv("MACHINE_CLOCK");
    int fd = clock ? open(clock, O_RDONLY) : -1;
    if (fd >= 0) {
        void *page = mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
        if (page != MAP_FAILED) wrong_by = page;
        close(fd);
    }
}

/* The name of a watched file below MACHINE_DISK, or NULL. */
static const char *watched(const char *path) {
    size_t length = disk ? strlen(disk) : 0;
    if (!length || strncmp(path, disk, length) || path[length] != '/') return NULL;
    const char *name = path + length + 1;
    return strchr(name, '/') ? NULL : name;
}

static const char *watched_fd(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, PATH - 1);
    if (n < 0) return NULL;
    path[n] = 0;
    return watched(path);
}

static void stop(const char *what) { perror(what); abort(); }

static int locked(void) {
    char path[PATH];
    snprintf(path, sizeof path, "%s/.lock", safe);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX)) stop("machine.c: lock");
    return fd;
}

/* What the file holds now is on the disk for good: whole, or not at all.

   Read through the caller's own descriptor where it allows that: closing another one
   of the same file would drop the locks that SQLite holds on it. */
static void keep(int fd, const char *path, const char *name) {
    char partial[PATH], final[PATH], block[65536];
    int lock = locked();
    snprintf(partial, sizeof partial, "%s/.partial", safe);
    snprintf(final, sizeof final, "%s/%s", safe, name);
    int may_read = (fcntl(fd, F_GETFL) & O_ACCMODE) != O_WRONLY;
    int from = may_read ? fd : open(path, O_RDONLY | O_CLOEXEC);
    int to = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (from < 0 || to < 0) stop("machine.c: keep");
    off_t at = 0;
    ssize_t n;
    while ((n = pread(from, block, sizeof block, at)) > 0) {
        if (REAL(write)(to, block, n) != n) stop("machine.c: write");
        at += n;
    }
    if (!may_read) close(from);
    close(to);
    if (REAL(rename)(partial, final)) stop("machine.c: rename");
    close(lock);
}

static int is_full(int fd) {
    char path[PATH], prefix[PATH];
    int flag = *full ? open(full, O_RDONLY | O_CLOEXEC) : -1;
    if (flag < 0) return 0;
    ssize_t length = read(flag, prefix, sizeof prefix);
    close(flag);
    const char *name = watched_fd(fd, path);
    if (!name || length < 0 || strncmp(name, prefix, length)) return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int fd, const void *data, size_t size) {
    return is_full(fd) ? -1 : REAL(write)(fd, data, size);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return is_full(fd) ? -1 : REAL(pwrite)(fd, data, size, at);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return is_full(fd) ? -1 : REAL(pwrite64)(fd, data, size, at);
}

static int synced(int fd) {
    char path[PATH];
    const char *name = watched_fd(fd, path);
    if (name) keep(fd, path, name);
    return 0;
}
int fsync(int fd) { return synced(fd); }
int fdatasync(int fd) { return synced(fd); }

int unlink(const char *path) {
    int result = REAL(unlink)(path);
    const char *name = watched(path);
    if (!result && name) {
        char kept[PATH];
        int lock = locked();
        snprintf(kept, sizeof kept, "%s/%s", safe, name);
        REAL(unlink)(kept);
        close(lock);
    }
    return result;
}

/* A name that moved without its content being synced may be back after the cut: the
   former content is kept. */
int rename(const char *old, const char *new) {
    int result = REAL(rename)(old, new);
    const char *old_name = watched(old), *new_name = watched(new);
    if (!result && old_name && new_name) {
        char from[PATH], to[PATH];
        int lock = locked();
        snprintf(from, sizeof from, "%s/%s", safe, old_name);
        snprintf(to, sizeof to, "%s/%s", safe, new_name);
        REAL(rename)(from, to);
        close(lock);
    }
    return result;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = REAL(clock_gettime)(clock, now);
    if (!result && wrong_by && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += *wrong_by;
    return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = REAL(gettimeofday)(now, zone);
    if (!result && wrong_by) now->tv_sec += *wrong_by;
    return result;
}
time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
