/* How the launcher begins on a POSIX system. */
#define _GNU_SOURCE
#include "loader.h"

#include <sys/resource.h>
#include <sys/stat.h>

/* Have a crash write no secret to a file, nor hand it to a program that collects cores.

   To Linux a limit of 0 means no file alone; 1 means no program either (do_coredump in
   fs/coredump.c), and is too small for a file. Where the hard limit is 0, it stays 0. */
static void forbid_cores(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) != 0)
        return;
#ifdef __linux__
    limit.rlim_cur = limit.rlim_max == 0 ? 0 : 1;
#else
    limit.rlim_cur = 0;
#endif
    setrlimit(RLIMIT_CORE, &limit);
}

/* Whether standard input is a folder: Python would not even start. */
bool input_is_a_folder(void)
{
    struct stat status;
    return fstat(0, &status) == 0 && S_ISDIR(status.st_mode);
}

int main(int count, char **words)
{
    forbid_cores();
    return launch(count, words);
}
