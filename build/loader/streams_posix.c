/* Standard input, read, and handed on when the agent does not answer. */
#define _GNU_SOURCE
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif
#include <unistd.h>

enum { CHUNK = 65536 };

static char chunk[CHUNK];

/* Some of standard input; 0: it has ended; -1: it cannot be read. */
ssize_t some_input(char **read_bytes)
{
    *read_bytes = chunk;
    for (;;) {
        ssize_t count = read(0, chunk, sizeof chunk);
        /* Our caller does not want to wait, and left us the same open file. */
        struct pollfd ready = {.fd = 0, .events = POLLIN};
        if (count < 0 && errno == EAGAIN && (poll(&ready, 1, -1) >= 0 || errno == EINTR))
            continue;
        if (count >= 0 || errno != EINTR)
            return count;
    }
}

/* A file that nobody else can open. */
static int nameless(void)
{
#ifdef __linux__
    int memory = memfd_create("stdin", MFD_CLOEXEC);
    if (memory >= 0)
        return memory;
#endif
    char path[1024];
    const char *folder = getenv("TMPDIR");
    if (folder == NULL || folder[0] != '/' || strlen(folder) > sizeof path - 32)
        folder = "/tmp";
    snprintf(path, sizeof path, "%s/credlatch-XXXXXX", folder);
    int file = mkstemp(path);
    if (file >= 0)
        unlink(path);
    return file;
}

/* Make what has been read what will be read next.

   Of too long a request the program needs no more than the length: the rest is a hole, and ends
   where nothing more can be read. */
bool hand_on(struct input *input)
{
    char *chunk_read;
    size_t written;
    off_t length = (off_t)input->taken.length;
    if (length == 0 && !input->ended)
        return true; /* it is as it was */
    while (!input->ended) {
        ssize_t count = some_input(&chunk_read);
        input->ended = count <= 0;
        length += count < 0 ? 0 : count;
    }
    int file = above_streams(nameless());
    if (file < 0 || !write_all(file, input->taken.at, input->taken.length, &written) ||
        ftruncate(file, length) != 0 || lseek(file, 0, SEEK_SET) != 0 || dup2(file, 0) != 0)
        return false;
    close(file);
    return true;
}
