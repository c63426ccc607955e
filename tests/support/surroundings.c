/* What surroundings.py lays before the C library, in a program that is to bear it.

   CLOCK_JUMP=N:SECONDS   the wall clock says so much more from its Nth reading on
   CLOCK_FILE=PATH        it says as much more as the file has, in eight bytes, at each reading
   SHORT=N                each read and write takes N bytes at most
   BURN=NAME:N:THREAD     a thread (1 is made first) begins with N system calls of a name, which fail
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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

#define CALL(name) {#name, SYS_##name}
static const struct {
    const char *name;
    long number;
} calls[] = {
    CALL(openat), CALL(mkdirat), CALL(symlinkat), CALL(mknodat), CALL(getdents64),
    CALL(lseek), CALL(write), CALL(pwrite64), CALL(sendfile), CALL(copy_file_range),
    CALL(ftruncate), CALL(fallocate), CALL(fsync), CALL(renameat), CALL(renameat2),
    CALL(unlinkat), CALL(flock), CALL(fcntl), CALL(dup), CALL(dup3), CALL(fstat),
    CALL(newfstatat), CALL(statx), CALL(readlinkat), CALL(faccessat2), CALL(getxattr),
    CALL(fchmod), CALL(fchmodat), CALL(fchown), CALL(utimensat), CALL(close), CALL(getcwd),
    CALL(getrandom), CALL(pipe2), CALL(execve), CALL(clone), CALL(clone3), CALL(socket),
    CALL(connect), CALL(sendto), CALL(sendmsg), CALL(recvfrom), CALL(recvmsg),
    CALL(setsockopt), CALL(getsockopt), CALL(getpeername), CALL(shutdown), CALL(ppoll),
    CALL(pselect6), CALL(epoll_create1), CALL(memfd_create), CALL(inotify_init1),
    CALL(prlimit64),
#ifdef __x86_64__
    CALL(open), CALL(mkdir), CALL(symlink), CALL(mknod), CALL(rename), CALL(link),
    CALL(unlink), CALL(rmdir), CALL(dup2), CALL(stat), CALL(lstat), CALL(readlink),
    CALL(access), CALL(chmod), CALL(poll), CALL(select), CALL(epoll_wait),
#endif
};

struct beginning {
    void *(*work)(void *);
    void *told;
};

static long number_of(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strlen(calls[i].name) == length && memcmp(calls[i].name, name, length) == 0)
            return calls[i].number;
    abort();
}

static void *begin_with_calls(void *there)
{
    struct beginning beginning = *(struct beginning *)there;
    const char *said = getenv("BURN"), *count = strchr(said, ':');
    long number = number_of(said, (size_t)(count - said));
    free(there);
    for (long left = strtol(count + 1, NULL, 10); left > 0; left--)
        syscall(number, -1L, 0L, 0L, 0L, 0L, 0L);
    return beginning.work(beginning.told);
}

static long threads;

int pthread_create(pthread_t *made, const pthread_attr_t *how, void *(*work)(void *), void *told)
{
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    const char *said = getenv("BURN");
    long number = __atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
    struct beginning *beginning = NULL;
    if (said && strtol(strrchr(said, ':') + 1, NULL, 10) == number)
        beginning = malloc(sizeof *beginning);
    if (!beginning)
        return create(made, how, work, told);
    *beginning = (struct beginning){work, told};
    return create(made, how, begin_with_calls, beginning);
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
