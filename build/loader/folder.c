/* How the folder form goes on: as the program beside this one. */
#define _GNU_SOURCE
#include "loader.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

_Noreturn void go_on(int count, char **words, const struct asked *asked)
{
    static char folder[LONGEST_PATH], text[LONGEST_PATH + 100];
    struct failure why = {0, "this program cannot find itself"};
    if (own_path(folder, sizeof folder)) {
        char *slash = strrchr(folder, '/');
        if (slash != NULL)
            *slash = '\0';
        int held = hold(folder, LOCK_SH, &why);
        if (held >= 0)
            fcntl(held, F_SETFD, 0);
        why = (struct failure){become(folder, words, asked), NULL};
    }
    snprintf(text, sizeof text, "%s/" PROGRAM " cannot be run (%s): this program needs its whole folder",
             folder, text_of(why));
    say(failure_stream(count, words), text);
    _exit(1);
}
