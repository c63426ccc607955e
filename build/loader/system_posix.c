/* The operating system, where it is a POSIX one: time, streams, and its words for what goes wrong. */
#define _GNU_SOURCE
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

char **caller_variables(void)
{
    return environ;
}

const char *system_words(int number)
{
    return strerror(number);
}

int last_failure(void)
{
    return errno;
}

bool reader_is_gone(int number)
{
    return number == EPIPE;
}

void ignore_broken_pipes(void)
{
    signal(SIGPIPE, SIG_IGN);
}

bool working_folder(char *path, size_t room)
{
    if (getcwd(path, room) != NULL)
        return true;
    if (errno == ERANGE)
        return false;
    strcpy(path, "/");
    return true;
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
