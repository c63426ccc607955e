/* What the single file's parts share beside loader.h. */
#ifndef SINGLE_H
#define SINGLE_H

#include "loader.h"

#define LOCK "lock" /* a file; who has it unpacks */

/* Where programs may be unpacked: a folder, with ours below it. */
struct place {
    char base[LONGEST_PATH];
    char name[32];
    bool make; /* whether the base may be made */
};

enum {
    MOST_PLACES = 4,
    LONGEST_NAME = 1024, /* bytes of a path in the payload */
    NOTED = 86400,       /* seconds after which a use is noted anew */
    UNUSED = 30 * 86400, /* seconds after which a build that nobody has used is removed */
};

/* Nanoseconds to wait while another process unpacks: Bazel waits for ten seconds. */
#define OTHERS INT64_C(5000000000)

/* A folder that a program is unpacked in: held, and on Windows its path. */
struct unpacking {
    intptr_t held;
    const char *path;
};

/* Of a file that is one: its size in bytes, and when it was written, in seconds since 1970. */
struct file_status {
    int64_t size, when;
};

/* places_*.c */
int places(struct place *all);
bool secure(const struct place *place, char *run, struct failure *why);

#ifdef _WIN32
bool is_own_folder(intptr_t held, struct failure *why);
#endif

/* unpacked_*.c */
intptr_t take(const char *run, char *folder, struct failure *why);

/* contents.c */
bool whole(const struct unpacking *folder);
bool unpack(const struct unpacking *folder, struct failure *why);
bool is_build(const char *name);

/* files_*.c */
bool status_of(const struct unpacking *folder, const char *path, struct file_status *found);
intptr_t create(const struct unpacking *folder, const char *path, bool program,
                struct failure *why);
bool append(intptr_t opened, const void *data, size_t length, struct failure *why);
bool finish(const struct unpacking *folder, const char *path, intptr_t opened, int64_t when,
            bool done, struct failure *why);

/* remove_*.c */
#ifdef _WIN32
void remove_all(const char *folder);
void sweep(const char *run);
#else
void remove_all(int above, const char *name);
void sweep(int run);
#endif

/* inflate.zig: the CRC-32 of bytes; begin with zlib's data; the next bytes of what they mean, false:
   they are damaged */
uint32_t checksum(const unsigned char *data, size_t length);
void inflate_begin(const unsigned char *data, size_t length);
bool inflate_next(unsigned char *out, size_t length);
bool inflate_end(void);

#endif
