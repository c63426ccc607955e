/* Finding the unpacked program, or unpacking it: once, whole, and by one process. */
#define _GNU_SOURCE
#include "single.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Hold an unpacked program that is as it should be; -1: there is none. */
static int found(const char *folder, struct failure *why)
{
    struct stat status;
    int held = (int)hold(folder, why);
    if (held < 0)
        return -1;
    if (fstat(held, &status) != 0 || status.st_uid != getuid() || (status.st_mode & 077) != 0 ||
        !whole(&(struct unpacking){.held = held})) {
        close(held);
        return -1;
    }
    if (time(NULL) - status.st_mtime > NOTED)
        futimens(held, NULL); /* a disk that has become read-only does as well */
    return held;
}

/* Put a fresh folder in the place of whatever is there. */
static bool put(int run, const char *fresh, const char *old)
{
    if (renameat(run, fresh, run, BUILD) == 0)
        return true;
    /* A damaged one, or one that somebody who did not wait has put there: equal to ours, and
       whoever runs from it goes on with ours. */
    if (renameat(run, BUILD, run, old) != 0 || renameat(run, fresh, run, BUILD) != 0)
        return false;
    remove_all(run, old);
    return true;
}

static int unpack_aside(int run, const char *path, struct failure *why)
{
    char fresh[64], old[64], whole_path[LONGEST_PATH + 64];
    long long when = (long long)now();
    snprintf(fresh, sizeof fresh, ".new-" BUILD "-%ld-%llx", (long)getpid(), when);
    snprintf(old, sizeof old, ".old-" BUILD "-%ld-%llx", (long)getpid(), when);
    snprintf(whole_path, sizeof whole_path, "%s/%s", path, fresh);
    if (mkdirat(run, fresh, 0700) != 0) {
        *why = (struct failure){errno, NULL};
        return -1;
    }
    int held = (int)hold(whole_path, why);
    bool done = held >= 0 && unpack(&(struct unpacking){.held = held}, why);
    if (done && !put(run, fresh, old)) {
        *why = (struct failure){errno, NULL};
        done = false;
    }
    if (!done) {
        if (held >= 0)
            close(held);
        remove_all(run, fresh);
        return -1;
    }
    fsync(run); /* some file systems cannot */
    return held;
}

/* The lock of those who unpack; -1: it cannot be had in time. */
static int locked(int run)
{
    int64_t end = now() + OTHERS;
    int lock = openat(run, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    while (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || now() > end) {
            close(lock);
            return -1;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return lock;
}

/* The folder of the program, and the descriptor that keeps it from being removed; -1: there is
   none, and it cannot be unpacked here. */
intptr_t take(const char *path, char *folder, struct failure *why)
{
    int length = snprintf(folder, LONGEST_PATH, "%s/" BUILD, path);
    if (length < 0 || length >= LONGEST_PATH) {
        *why = (struct failure){ENAMETOOLONG, NULL};
        return -1;
    }
    int held = found(folder, why);
    if (held >= 0)
        return held;
    int run = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (run < 0) {
        *why = (struct failure){errno, NULL};
        return -1;
    }
    int lock = locked(run);
    held = lock < 0 ? -1 : found(folder, why); /* by now */
    if (held < 0) {
        if (lock >= 0)
            sweep(run);
        held = unpack_aside(run, path, why);
    }
    if (lock >= 0)
        close(lock);
    close(run);
    return held;
}
