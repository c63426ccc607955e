/* The files of an unpacked program, on a POSIX system. */
#define _GNU_SOURCE
#include "single.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool status_of(const struct unpacking *folder, const char *path, struct file_status *found)
{
    struct stat status;
    if (fstatat((int)folder->held, path, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode))
        return false;
    *found = (struct file_status){status.st_size, status.st_mtime};
    return true;
}

/* Make the folders on the way to a file, and have those of the file before on the disk. */
static bool made_way(int folder, const char *path)
{
    char way[LONGEST_NAME];
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        memcpy(way, path, (size_t)(slash - path));
        way[slash - path] = '\0';
        if (mkdirat(folder, way, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

/* Have something on the disk before all that is written later: on macOS fsync leaves it in the disk's own
   memory, which writes in any order (fsync(2) there). */
static bool on_disk(int opened)
{
#ifdef F_BARRIERFSYNC
    if (fcntl(opened, F_BARRIERFSYNC) == 0)
        return true; /* some file systems cannot */
#endif
    return fsync(opened) == 0;
}

/* Have the folder of a file on the disk, with all its names. */
static bool synced_folder(int folder, const char *path)
{
    char way[LONGEST_NAME];
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 1 : (size_t)(slash - path);
    memcpy(way, slash == NULL ? "." : path, length);
    way[length] = '\0';
    int opened = openat(folder, way, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0)
        return false;
    bool done = on_disk(opened);
    close(opened);
    return done;
}

intptr_t create(const struct unpacking *folder, const char *path, bool program,
                struct failure *why)
{
    int opened = -1;
    if (made_way((int)folder->held, path))
        opened = openat((int)folder->held, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        program ? 0700 : 0600);
    if (opened < 0)
        failed(why, errno, NULL);
    return opened;
}

bool append(intptr_t opened, const void *data, size_t length, struct failure *why)
{
    size_t written;
    return write_all((int)opened, data, length, &written) || failed(why, errno, NULL);
}

/* Close a file; if it is done, with that time, and on the disk. */
bool finish(const struct unpacking *folder, const char *path, intptr_t opened, int64_t when,
            bool done, struct failure *why)
{
    struct timespec times[2] = {{.tv_sec = (time_t)when}, {.tv_sec = (time_t)when}};
    if (done && (futimens((int)opened, times) != 0 || !on_disk((int)opened)))
        done = failed(why, errno, NULL);
    close((int)opened);
    return done && (synced_folder((int)folder->held, path) || failed(why, errno, NULL));
}
