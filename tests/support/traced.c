/* Becomes the program, traced by strace and by its name: for who has called, it is no other.

   Compiled with REAL, STRACE, LOGS and OPTIONS (each with a comma behind it). What traces is nobody's
   child and has none of the caller's descriptors: who waits for their end waits for the program's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_traced(void)
{
    char status[4096], *found;
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, status, sizeof status - 1);
    if (file >= 0)
        close(file);
    if (length < 0)
        return 1;
    status[length] = '\0';
    found = strstr(status, "TracerPid:");
    return found == NULL || atoi(found + 10) != 0;
}

static void trace(pid_t program)
{
    char log[sizeof LOGS + 32], number[16];
    static char *const NOTHING[] = {NULL};
    close_range(3, ~0U, 0);
    int null = open("/dev/null", O_RDWR);
    for (int stream = 0; stream < 3; stream++)
        dup2(null, stream);
    setsid();
    snprintf(number, sizeof number, "%d", program);
    snprintf(log, sizeof log, "%s/%d", LOGS, program);
    char *words[] = {STRACE, OPTIONS "-A", "-o", log, "-p", number, NULL};
    execve(STRACE, words, NOTHING);
    _exit(1);
}

int main(int count, char **words)
{
    pid_t program = getpid(), child;
    (void)count;
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    child = fork();
    if (child == 0) {
        if (fork() == 0)
            trace(program);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    for (int waits = 0; waits < 30000 && !is_traced(); waits++)
        usleep(1000);
    execv(REAL, words);
    return 127;
}
