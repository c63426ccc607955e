/* Where the single file may unpack itself: places in which nobody else can put a program for us. */
#define _GNU_SOURCE
#include "single.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#ifdef __APPLE__
#include <sys/mount.h>
#include <sys/param.h>
#else
#include <sys/statvfs.h>
#endif
#include <unistd.h>

/* A variable; NULL also for an empty or blank one, as CI templates leave them. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    for (const char *at = value; at != NULL && *at != '\0'; at++)
        if (!isspace((unsigned char)*at))
            return value;
    return NULL;
}

static bool add_place(struct place *all, int *count, const char *base, const char *name, bool make)
{
    struct place *place = &all[*count];
    if (base == NULL || base[0] != '/' || strlen(base) >= sizeof place->base)
        return false;
    for (int i = 0; i < *count; i++)
        if (strcmp(all[i].base, base) == 0 && strcmp(all[i].name, name) == 0)
            return false;
    strcpy(place->base, base);
    snprintf(place->name, sizeof place->name, "%s", name);
    place->make = make;
    ++*count;
    return true;
}

/* In the order in which to try: cache, runtime folder, temporary ones.

   Without a HOME there is no cache: what such a process may rely on is not the account's. */
int places(struct place *all)
{
    static char cache[LONGEST_PATH];
    char name[32];
    int count = 0, length = -1;
    const char *home = variable("HOME");
    if (!add_place(all, &count, variable("XDG_CACHE_HOME"), "credlatch", true) && home != NULL) {
        char folder[LONGEST_PATH] = "";
        if (home[0] == '/')
            length = snprintf(cache, sizeof cache, "%s/.cache", home);
        else if (getcwd(folder, sizeof folder) != NULL)
            length = snprintf(cache, sizeof cache, "%s/%s/.cache", folder, home);
        if (length > 0 && (size_t)length < sizeof cache)
            add_place(all, &count, cache, "credlatch", true);
    }
    add_place(all, &count, variable("XDG_RUNTIME_DIR"), "credlatch", false);
    snprintf(name, sizeof name, "credlatch-%lu", (unsigned long)getuid());
    add_place(all, &count, variable("TMPDIR"), name, false);
    add_place(all, &count, "/tmp", name, false);
    return count;
}

static void go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        strcpy(path, "/");
    else
        *slash = '\0';
}

/* See that nobody else can put another folder in the place of one in this, nor anywhere on the way
   to it. A sticky folder like /tmp is fine; the owner of the root folder can do anything anyway. */
static bool only_we_change(const char *real, struct failure *why)
{
    static char words[LONGEST_PATH + 64];
    char path[LONGEST_PATH];
    strcpy(path, real);
    for (;;) {
        struct stat status;
        if (lstat(path, &status) != 0)
            return failed(why, errno, NULL);
        const char *what = NULL;
        if (!trusted(status.st_uid))
            what = "%s is another user's";
        else if ((status.st_mode & 022) != 0 && (status.st_mode & S_ISVTX) == 0)
            what = "other users may change %s";
        if (what != NULL) {
            snprintf(words, sizeof words, what, path);
            return failed(why, EPERM, words);
        }
        if (strcmp(path, "/") == 0)
            return true;
        go_up(path);
    }
}

static bool made(const char *path, struct failure *why)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST || failed(why, errno, NULL);
}

/* Close a folder of ours to all others, as it may have been made with a generous umask. */
static bool closed(const char *path, struct failure *why)
{
    struct stat status;
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool done = folder >= 0 && fstat(folder, &status) == 0;
    if (done && status.st_uid != getuid())
        done = failed(why, EPERM, "another user's");
    else if (!done || ((status.st_mode & 022) != 0 && fchmod(folder, 0700) != 0))
        done = failed(why, errno, NULL);
    if (folder >= 0)
        close(folder);
    return done;
}

static bool is_private(const char *path, struct failure *why)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return failed(why, errno, NULL);
    if (!S_ISDIR(status.st_mode))
        return failed(why, ENOTDIR, "not a folder");
    return (status.st_uid == getuid() && (status.st_mode & 077) == 0) ||
           failed(why, EPERM, "not this user's alone");
}

/* See that programs may run from the disk of a folder. */
static bool runs_programs(const char *path, struct failure *why)
{
#ifdef __APPLE__
    struct statfs disk; /* its statvfs does not tell (sys/statvfs.h) */
    if (statfs(path, &disk) != 0)
        return failed(why, errno, NULL);
    bool no = (disk.f_flags & MNT_NOEXEC) != 0;
#else
    struct statvfs disk;
    if (statvfs(path, &disk) != 0)
        return failed(why, errno, NULL);
    bool no = (disk.f_flag & ST_NOEXEC) != 0;
#endif
    return !no || failed(why, EACCES, "no programs may run there (noexec)");
}

/* Make the folder for unpacked programs, or find it; its real path. */
bool secure(const struct place *place, char *run, struct failure *why)
{
    char above[LONGEST_PATH], real[PATH_MAX];
    struct stat status;
    if (place->make && (stat(place->base, &status) != 0 || !S_ISDIR(status.st_mode))) {
        /* Root makes none in the home of another user (sudo), where it would be in their way. */
        strcpy(above, place->base);
        go_up(above);
        if (realpath(above, real) == NULL)
            return failed(why, errno, NULL);
        if (!only_we_change(real, why) || !made(place->base, why))
            return false;
    }
    if (realpath(place->base, real) == NULL)
        return failed(why, errno, NULL);
    if (!only_we_change(real, why))
        return false;
    const char *base = strcmp(real, "/") == 0 ? "" : real;
    int length = snprintf(run, LONGEST_PATH, "%s/%s", base, place->name);
    if (length < 0 || length > LONGEST_PATH - 64)
        return failed(why, ENAMETOOLONG, NULL);
    if (!made(run, why) || !closed(run, why))
        return false;
    strcat(run, "/run");
    if (!made(run, why) || !is_private(run, why))
        return false;
    return runs_programs(run, why);
}
