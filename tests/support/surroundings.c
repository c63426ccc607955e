/* What surroundings.py lays before the C library, in a program that is to bear it.

   CLOCK_JUMP=N:SECONDS   the wall clock says so much more from its Nth reading on
   CLOCK_FILE=PATH        it says as much more as the file has, in eight bytes, at each reading
   SHORT=N                each read and write takes N bytes at most
*/
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *file;
static long from, jump, readings, most;

__attribute__((constructor)) static void begin(void)
{
    const char *said = getenv("CLOCK_JUMP");
    char *rest;
    if (said) {
        from = strtol(said, &rest, 10);
        jump = strtol(rest + 1, NULL, 10);
    }
    if ((said = getenv("CLOCK_FILE"))) {
        int descriptor = open(said, O_RDONLY | O_CLOEXEC);
        void *there = mmap(NULL, sizeof *file, PROT_READ, MAP_SHARED, descriptor, 0);
        close(descriptor);
        if (there != MAP_FAILED)
            file = there;
    }
    if ((said = getenv("SHORT")))
        most = strtol(said, NULL, 10);
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int failed = (int)syscall(SYS_clock_gettime, id, now);
    if (!failed && id == CLOCK_REALTIME) {
        if (jump && ++readings >= from)
            now->tv_sec += jump;
        if (file)
            now->tv_sec += *file;
    }
    return failed;
}

time_t time(time_t *there)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (there)
        *there = now.tv_sec;
    return now.tv_sec;
}

static size_t less(size_t size)
{
    return most && size > (size_t)most ? (size_t)most : size;
}

ssize_t read(int descriptor, void *data, size_t size)
{
    return syscall(SYS_read, descriptor, data, less(size));
}

ssize_t write(int descriptor, const void *data, size_t size)
{
    return syscall(SYS_write, descriptor, data, less(size));
}

ssize_t send(int descriptor, const void *data, size_t size, int flags)
{
    return syscall(SYS_sendto, descriptor, data, less(size), flags, NULL, 0);
}

ssize_t recv(int descriptor, void *data, size_t size, int flags)
{
    return syscall(SYS_recvfrom, descriptor, data, less(size), flags, NULL, NULL);
}
