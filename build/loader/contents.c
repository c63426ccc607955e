/* What the single file carries, and whether all of it is where it has been unpacked.

   A payload is a count; for each file its size, whether it is a program, the length of its path and
   the path; then all files, one after the other, as zlib packs them (build/carry.py makes it). */
#define _GNU_SOURCE
#include "single.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MARK "unpacked" /* a file that is there when all others are; they have its time */

enum { CHUNK = 65536, LONGEST_NAME = 1024 };

extern const unsigned char payload[];
extern const size_t payload_length;

struct file {
    uint32_t size;
    bool program;
    char path[LONGEST_NAME];
};

/* The next file of the table at `at`, which moves on. */
static void next(size_t *at, struct file *file)
{
    file->size = number_at(payload + *at);
    file->program = payload[*at + 4] != 0;
    size_t length = (size_t)payload[*at + 5] << 8 | payload[*at + 6];
    memcpy(file->path, payload + *at + 7, length);
    file->path[length] = '\0';
    *at += 7 + length;
}

/* What cleans temporary folders and caches by age takes single files. */
bool whole(int folder)
{
    struct stat mark, status;
    struct file file;
    size_t at = 4;
    if (fstatat(folder, MARK, &mark, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(mark.st_mode))
        return false;
    for (uint32_t left = number_at(payload); left > 0; left--) {
        next(&at, &file);
        if (fstatat(folder, file.path, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode) || status.st_size != (off_t)file.size ||
            status.st_mtime != mark.st_mtime)
            return false;
    }
    return true;
}

static bool failed(struct failure *why)
{
    *why = (struct failure){errno, NULL};
    return false;
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
    bool done = fsync(opened) == 0;
    close(opened);
    return done;
}

static bool filled(int opened, uint32_t size, struct failure *why)
{
    static unsigned char chunk[CHUNK];
    while (size > 0) {
        size_t length = size < CHUNK ? size : CHUNK, written;
        if (!inflate_next(chunk, length)) {
            *why = (struct failure){0, "this program is damaged: put a fresh copy in its place"};
            return false;
        }
        if (!write_all(opened, (char *)chunk, length, &written))
            return failed(why);
        size -= (uint32_t)length;
    }
    return true;
}

static bool unpacked(int folder, const struct file *file, time_t when, struct failure *why)
{
    struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    if (!made_way(folder, file->path))
        return failed(why);
    int opened = openat(folder, file->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        file->program ? 0700 : 0600);
    if (opened < 0)
        return failed(why);
    bool done = filled(opened, file->size, why);
    if (done && (futimens(opened, times) != 0 || fsync(opened) != 0))
        done = failed(why);
    close(opened);
    return done && (synced_folder(folder, file->path) || failed(why));
}

/* Unpack all into an empty folder, and have it on the disk. */
bool unpack(int folder, struct failure *why)
{
    struct file file;
    size_t at = 4, end = 4;
    uint32_t count = number_at(payload);
    for (uint32_t left = count; left > 0; left--)
        next(&end, &file);
    inflate_begin(payload + end, payload_length - end);
    /* What cleans caches by age would take what is as old as the build. */
    time_t when = time(NULL);
    for (uint32_t left = count; left > 0; left--) {
        next(&at, &file);
        if (!unpacked(folder, &file, when, why))
            return false;
    }
    if (!inflate_end()) {
        *why = (struct failure){0, "this program is damaged: put a fresh copy in its place"};
        return false;
    }
    file = (struct file){.path = MARK};
    return unpacked(folder, &file, when, why);
}
