/* Bytes, time, and lines for people. */
#define _GNU_SOURCE
#include "loader.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_LINE = 6000 }; /* bytes: a client may not read more than a pipe holds */

bool add(struct buffer *buffer, const void *data, size_t length)
{
    if (length > SIZE_MAX / 4 - buffer->length)
        return false;
    if (buffer->length + length > buffer->room) {
        size_t room = (buffer->length + length) * 2;
        char *at = realloc(buffer->at, room);
        if (at == NULL)
            return false;
        buffer->at = at;
        buffer->room = room;
    }
    if (length != 0)
        memcpy(buffer->at + buffer->length, data, length);
    buffer->length += length;
    return true;
}

/* The frames' numbers are big-endian. */
uint32_t number_at(const unsigned char *data)
{
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

void put_number(unsigned char *data, uint32_t number)
{
    data[0] = (unsigned char)(number >> 24);
    data[1] = (unsigned char)(number >> 16);
    data[2] = (unsigned char)(number >> 8);
    data[3] = (unsigned char)number;
}

/* Nanoseconds on the clock of Python's time.monotonic, which the program goes on counting by. */
int64_t now(void)
{
    struct timespec time;
#ifdef __APPLE__
    clock_gettime(CLOCK_UPTIME_RAW, &time);
#else
    clock_gettime(CLOCK_MONOTONIC, &time);
#endif
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

bool write_all(int descriptor, const char *data, size_t length, size_t *written)
{
    *written = 0;
    while (*written < length) {
        ssize_t count = write(descriptor, data + *written, length - *written);
        if (count >= 0) {
            *written += (size_t)count;
        } else if (errno == EAGAIN) {
            /* Our caller does not want to wait, and left us the same open file. */
            struct pollfd ready = {.fd = descriptor, .events = POLLOUT};
            if (poll(&ready, 1, -1) < 0 && errno != EINTR)
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* The same descriptor by a number that is no standard stream's, where one of these is closed. */
int above_streams(int descriptor)
{
    if (descriptor < 0 || descriptor > 2)
        return descriptor;
    int other = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    int error = errno;
    close(descriptor);
    errno = error;
    return other;
}

/* As system/files.py has it: the system's words, without a capital. */
const char *text_of(struct failure why)
{
    static char text[LONGEST_PATH + 200];
    snprintf(text, sizeof text, "%s", why.words != NULL ? why.words : strerror(why.number));
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

/* One line that says who speaks; on standard error if the stream does not take it. */
void say(int stream, const char *text)
{
    static char line[LONGEST_LINE];
    int length = snprintf(line, sizeof line - 1, "credlatch: %s", text);
    if (length < 0)
        return;
    size_t end = (size_t)length < sizeof line - 2 ? (size_t)length : sizeof line - 2;
    for (size_t i = 0; i < end; i++) {
        unsigned char byte = (unsigned char)line[i];
        bool second = i > 0 && (unsigned char)line[i - 1] == 0xc2 && byte >= 0x80 && byte < 0xa0;
        if (second)
            line[i - 1] = ' ';
        if (byte < ' ' || byte == 0x7f || second)
            line[i] = ' '; /* a terminal would obey it */
    }
    line[end] = '\n';
    size_t written;
    signal(SIGPIPE, SIG_IGN); /* who says a line says nothing after it */
    if (!write_all(stream, line, end + 1, &written) && stream != 2)
        write_all(2, line, end + 1, &written);
}
