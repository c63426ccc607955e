/* Where the agent's socket is, whether it is what we take it for, and who may listen there.

   The same as helper/credlatch/agent/place.py, by which the agent makes it. */
#define _GNU_SOURCE
#include "loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONGEST = 100 }; /* bytes of a socket's path: 104 on macOS, 108 on Linux (unix(7)) */

bool trusted(uid_t owner)
{
    struct stat root;
    return owner == getuid() || owner == 0 || (stat("/", &root) == 0 && owner == root.st_uid);
}

/* The path without slashes at its end. */
static int kept(const char *path)
{
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    return (int)length;
}

bool own_socket(char *path, size_t room)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int length;
    if (runtime != NULL && runtime[0] == '/' && strlen(runtime) < LONGEST - 40) {
        length = snprintf(path, room, "%.*s/credlatch/" BUILD ".sock", kept(runtime), runtime);
    } else {
        const char *temporary = "/tmp";
#ifdef __APPLE__
        const char *own = getenv("TMPDIR");
        if (own != NULL && own[0] == '/' && strlen(own) <= LONGEST - 50)
            temporary = own;
#endif
        length = snprintf(path, room, "%.*s/credlatch-%lu/" BUILD ".sock", kept(temporary),
                          temporary, (unsigned long)getuid());
    }
    return length > 0 && (size_t)length < room;
}

/* Cut a path at its last slash; what is left of "/a" is "/". */
static void cut(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        strcpy(path, "/");
    else
        *slash = '\0';
}

static bool copied(char *to, const char *path, struct failure *why)
{
    if (strlen(path) < LONGEST_PATH) {
        strcpy(to, path);
        return true;
    }
    why->number = ENAMETOOLONG;
    return false;
}

/* A folder of the user's alone, in whose place nobody else can put another. */
static bool is_private(const char *path, struct failure *why)
{
    char above[LONGEST_PATH];
    struct stat folder, around;
    if (!copied(above, path, why))
        return false;
    cut(above);
    if (lstat(path, &folder) != 0 || stat(above, &around) != 0) {
        why->number = errno;
        return false;
    }
    return S_ISDIR(folder.st_mode) && folder.st_uid == getuid() && (folder.st_mode & 077) == 0 &&
           trusted(around.st_uid) &&
           ((around.st_mode & 022) == 0 || (around.st_mode & S_ISVTX) != 0);
}

bool is_own_socket(const char *path, struct failure *why)
{
    char folder[LONGEST_PATH];
    struct stat status;
    *why = (struct failure){0, "it is no socket, or another user's link"};
    if (lstat(path, &status) != 0) {
        *why = (struct failure){errno, NULL};
        return false;
    }
    if (!S_ISSOCK(status.st_mode) || status.st_uid != getuid() || !copied(folder, path, why))
        return false;
    cut(folder);
    return is_private(folder, why);
}

/* What the user has named: a socket, or their own or root's link to one. */
bool is_named_socket(const char *path, struct failure *why)
{
    struct stat status;
    int failed = lstat(path, &status);
    if (failed == 0 && S_ISLNK(status.st_mode) && trusted(status.st_uid))
        failed = stat(path, &status);
    *why = failed ? (struct failure){errno, NULL}
                  : (struct failure){0, "it is no socket, or another user's link"};
    return failed == 0 && S_ISSOCK(status.st_mode);
}

/* Whether who listens at a path that the user has named may answer the user.

   The user and root may. Root also believes another user's, but only where nobody but root can have
   put it: mounted into a container, or in that user's own folders below one of root's. */
bool may_answer(const char *path, uid_t listener)
{
    char above[LONGEST_PATH];
    struct failure why;
    if (listener == getuid() || listener == 0)
        return true;
    if (getuid() != 0 || !copied(above, path, &why))
        return false;
    for (;;) {
        struct stat status;
        cut(above);
        int failed = lstat(above, &status);
        if (failed == 0 && S_ISLNK(status.st_mode) && trusted(status.st_uid))
            failed = stat(above, &status);
        if (failed != 0)
            return false;
        if (trusted(status.st_uid))
            return (status.st_mode & 022) == 0;
        if (status.st_uid != listener || !S_ISDIR(status.st_mode))
            return false;
    }
}

/* Where paths lead: a caller in a container or a chroot is not answered from outside. */
bool mount_namespace(char *text, size_t room)
{
    char mounts[64];
    struct stat root;
    ssize_t length = readlink("/proc/self/ns/mnt", mounts, sizeof mounts);
    if (stat("/", &root) != 0 || length == (ssize_t)sizeof mounts)
        return false;
    int all = snprintf(text, room, "%.*s %llu %llu", length < 0 ? 0 : (int)length, mounts,
                       (unsigned long long)root.st_dev, (unsigned long long)root.st_ino);
    return all > 0 && (size_t)all < room;
}
