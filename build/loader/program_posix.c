/* Becoming the program: what PyInstaller has built, in the folder "_internal" beside this one. */
#define _GNU_SOURCE
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#else
#include <sys/auxv.h>
#endif

#define CALLED "_CREDLATCH_CALLED="

extern char **environ;

/* Where this program is, whatever link it was called by. */
bool own_path(char *path, size_t room)
{
#ifdef __APPLE__
    char called[LONGEST_PATH];
    uint32_t length = sizeof called;
    char *real = _NSGetExecutablePath(called, &length) == 0 ? realpath(called, NULL) : NULL;
#else
    ssize_t length = readlink("/proc/self/exe", path, room - 1);
    if (length > 0 && (size_t)length < room - 1) {
        path[length] = '\0';
        return true;
    }
    const char *called = (const char *)getauxval(AT_EXECFN); /* without /proc */
    char *real = called == NULL ? NULL : realpath(called, NULL);
#endif
    if (real == NULL || strlen(real) >= room)
        return false;
    strcpy(path, real);
    free(real);
    return true;
}

/* Keep a folder from being removed as unused (system/folders.py): by a descriptor that is never
   used, and inherited; -1: it is not there, or is being removed. */
intptr_t hold(const char *folder, struct failure *why)
{
    int held = above_streams(open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (held < 0) {
        *why = (struct failure){errno, NULL};
        return -1;
    }
    if (flock(held, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        *why = (struct failure){errno, NULL};
        close(held);
        return -1;
    }
    return held; /* also where a file system has no locks */
}

void release(intptr_t held)
{
    close((int)held);
}

/* Where there is no /proc, PyInstaller's loader finds its own file by the name it is called by: it is
   called by its path, and told the other name (__main__.py). */
static char **found_by_path(char **words, char *path, char **name)
{
#ifdef __linux__
    size_t count = 0;
    char **others;
    if (access("/proc/self/exe", F_OK) == 0 || words[0] == NULL)
        return words;
    while (words[count] != NULL)
        count++;
    others = calloc(count + 1, sizeof *others);
    *name = malloc(sizeof CALLED + strlen(words[0]));
    if (others == NULL || *name == NULL)
        return words;
    memcpy(others, words, count * sizeof *others);
    others[0] = path;
    strcpy(*name, CALLED);
    strcat(*name, words[0]);
    return others;
#else
    (void)path;
    (void)name;
    return words;
#endif
}

/* Become the program of a folder, and go on holding it; gives the system's number of what went wrong. */
int become(const char *folder, intptr_t held, char **words, const struct asked *asked)
{
    char path[LONGEST_PATH];
    size_t count = 0, kept = 0;
    int length = snprintf(path, sizeof path, "%s/" PROGRAM, folder);
    if (length < 0 || (size_t)length >= sizeof path)
        return ENAMETOOLONG;
    while (environ[count] != NULL)
        count++;
    char **variables = calloc(count + 3, sizeof *variables);
    if (variables == NULL)
        return ENOMEM;
    for (size_t i = 0; i < count; i++)
        /* Another frozen program, which calls us, has its own for its loader. */
        if (strncmp(environ[i], ASKED "=", strlen(ASKED "=")) != 0 && strncmp(environ[i], "_PYI_", 5) != 0)
            variables[kept++] = environ[i];
    if (asked->began != 0 || asked->failed)
        variables[kept++] = told(asked);
    char *name = NULL;
    char **called = found_by_path(words, path, &name);
    if (called != words)
        variables[kept++] = name;
    if (held >= 0)
        fcntl((int)held, F_SETFD, 0);
    execve(path, called, variables);
    int number = errno;
    free(variables);
    return number;
}
