/* What the single file's parts share beside loader.h. */
#ifndef SINGLE_H
#define SINGLE_H

#include "loader.h"

#include <dirent.h>

/* Where programs may be unpacked: a folder, with ours below it. */
struct place {
    char base[LONGEST_PATH];
    char name[32];
    bool make; /* whether the base may be made */
};

enum { MOST_PLACES = 4 };

/* places.c */
int places(struct place *all);
bool secure(const struct place *place, char *run, struct failure *why);

/* unpacked.c */
int take(const char *run, char *folder, struct failure *why);

/* contents.c */
bool whole(int folder);
bool unpack(int folder, struct failure *why);

/* remove.c */
void remove_all(int above, const char *name);
void sweep(int run);

/* inflate.zig: begin with zlib's data; the next bytes of what they mean, false: they are damaged */
void inflate_begin(const unsigned char *data, size_t length);
bool inflate_next(unsigned char *out, size_t length);
bool inflate_end(void);

#endif
