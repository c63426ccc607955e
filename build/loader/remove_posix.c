/* Removing what killed processes have left, and builds that nobody has used for long. */
#define _GNU_SOURCE
#include "single.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Remove a folder and all that is in it, as far as that goes. */
void remove_all(int above, const char *name)
{
    if (unlinkat(above, name, 0) == 0 || (errno != EISDIR && errno != EPERM))
        return;
    int opened = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = opened < 0 ? NULL : fdopendir(opened);
    if (folder == NULL) {
        if (opened >= 0)
            close(opened);
        return;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_all(dirfd(folder), entry->d_name);
    closedir(folder);
    unlinkat(above, name, AT_REMOVEDIR);
}

/* Remove a folder that nobody holds. */
static void discard(int run, const char *name)
{
    char old[300];
    int claimed = openat(run, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (claimed < 0)
        return;
    if (flock(claimed, LOCK_EX | LOCK_NB) == 0) { /* nor where nobody can tell */
        int length = snprintf(old, sizeof old, ".old-%s-%ld", name, (long)getpid());
        bool aside = strncmp(name, ".old-", 5) == 0;
        if (aside || (length < (int)sizeof old && renameat(run, name, run, old) == 0))
            remove_all(run, aside ? name : old);
    }
    close(claimed);
}

/* Called before anything is unpacked: what a process leaves that is killed meanwhile, the next one
   removes, as it has to unpack as well. */
void sweep(int run)
{
    int again = openat(run, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again < 0 ? NULL : fdopendir(again);
    if (folder == NULL)
        return;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        const char *name = entry->d_name;
        struct stat status;
        bool aside = strncmp(name, ".new-", 5) == 0 || strncmp(name, ".old-", 5) == 0;
        bool unused = is_build(name) && strcmp(name, BUILD) != 0 &&
                      fstatat(run, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
                      time(NULL) - status.st_mtime > UNUSED;
        if (aside || unused)
            discard(run, name);
    }
    closedir(folder);
}
