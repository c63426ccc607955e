/* Standard input: read for the agent, and handed on when that does not answer. */
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

/* Some of standard input; -1: it cannot be read. */
static ssize_t some(void)
{
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

/* All of standard input, or a little more than may be asked; false: it cannot be read. */
bool read_input(struct input *input)
{
    while (input->taken.length <= LONGEST_REQUEST) {
        ssize_t count = some();
        if (count < 0)
            return false;
        if (count == 0) {
            input->ended = true;
            return true;
        }
        if (!add(&input->taken, chunk, (size_t)count))
            return false;
    }
    return true;
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

   Of too long a request the program needs no more than the length: the rest is a hole. */
bool hand_on(struct input *input)
{
    size_t written;
    off_t length = (off_t)input->taken.length;
    if (length == 0 && !input->ended)
        return true; /* it is as it was */
    while (!input->ended) {
        ssize_t count = length > LONGEST_REQUEST ? some() : -1;
        if (count < 0)
            return true; /* the program fails at the same place, and says so */
        input->ended = count == 0;
        length += count;
    }
    int file = above_streams(nameless());
    if (file < 0 || !write_all(file, input->taken.at, input->taken.length, &written) ||
        ftruncate(file, length) != 0 || lseek(file, 0, SEEK_SET) != 0 || dup2(file, 0) != 0)
        return false;
    close(file);
    return true;
}
