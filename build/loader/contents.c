/* What the single file carries, and whether all of it is where it has been unpacked.

   A payload is the CRC-32 of all that follows; a count; for each file its size, whether it is a
   program, the length of its path and the path; then all files, one after the other, as zlib packs
   them (build/carry.py makes it). */
#include "single.h"

#include <string.h>
#include <time.h>

#define MARK "unpacked" /* a file that is there when all others are; they have its time */

enum {
    CHUNK = 65536,
    COUNT = 4, /* where the count is */
    TABLE = 8, /* where the table is */
    ROW = 7,   /* bytes of a file's row before its path */
};

extern const unsigned char payload[];
extern const size_t payload_length;

struct file {
    uint32_t size;
    bool program;
    char path[LONGEST_NAME];
};

/* The next file of the table at `at`, which moves on; false: that is no table. */
static bool next(size_t *at, struct file *file)
{
    if (payload_length - *at < ROW)
        return false;
    file->size = number_at(payload + *at);
    file->program = payload[*at + 4] != 0;
    size_t length = (size_t)payload[*at + 5] << 8 | payload[*at + 6];
    *at += ROW;
    if (length >= sizeof file->path || payload_length - *at < length)
        return false;
    memcpy(file->path, payload + *at, length);
    file->path[length] = '\0';
    *at += length;
    return true;
}

/* What cleans temporary folders and caches by age takes single files. */
bool whole(const struct unpacking *folder)
{
    struct file_status mark, status;
    struct file file;
    size_t at = TABLE;
    if (payload_length < TABLE || !status_of(folder, MARK, &mark))
        return false;
    for (uint32_t left = number_at(payload + COUNT); left > 0; left--) {
        if (!next(&at, &file) || !status_of(folder, file.path, &status) ||
            status.size != (int64_t)file.size || status.when != mark.when)
            return false;
    }
    return true;
}

static bool damaged(struct failure *why)
{
    return failed(why, 0, "this program is damaged: put a fresh copy in its place");
}

static bool filled(intptr_t opened, uint32_t size, struct failure *why)
{
    static unsigned char chunk[CHUNK];
    while (size > 0) {
        size_t length = size < CHUNK ? size : CHUNK;
        if (!inflate_next(chunk, length))
            return damaged(why);
        if (!append(opened, chunk, length, why))
            return false;
        size -= (uint32_t)length;
    }
    return true;
}

static bool unpacked(const struct unpacking *folder, const struct file *file, int64_t when,
                     struct failure *why)
{
    intptr_t opened = create(folder, file->path, file->program, why);
    return opened != -1 && finish(folder, file->path, opened, when,
                                  filled(opened, file->size, why), why);
}

/* Unpack all into an empty folder, and have it on the disk. */
bool unpack(const struct unpacking *folder, struct failure *why)
{
    struct file file;
    size_t at = TABLE, end = TABLE;
    if (payload_length < TABLE)
        return damaged(why);
    uint32_t count = number_at(payload + COUNT);
    /* Before the first file: what inflates takes no notice of most damage. */
    if (checksum(payload + COUNT, payload_length - COUNT) != number_at(payload))
        return damaged(why);
    for (uint32_t left = count; left > 0; left--) {
        if (!next(&end, &file))
            return damaged(why);
    }
    inflate_begin(payload + end, payload_length - end);
    /* What cleans caches by age would take what is as old as the build. */
    int64_t when = time(NULL);
    for (uint32_t left = count; left > 0; left--) {
        if (!next(&at, &file) || !unpacked(folder, &file, when, why))
            return false;
    }
    if (!inflate_end())
        return damaged(why);
    file = (struct file){.path = MARK};
    return unpacked(folder, &file, when, why);
}

/* Whether a name is a build's identity. */
bool is_build(const char *name)
{
    return strlen(name) == 16 && strspn(name, "0123456789abcdef") == 16;
}
