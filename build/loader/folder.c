/* How the folder form goes on: as the program beside this one. */
#include "loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void go_on(int count, char **words, const struct asked *asked)
{
    static char folder[LONGEST_PATH], text[LONGEST_PATH + 100];
    struct failure why = {0, "this program cannot find itself"};
    if (own_path(folder, sizeof folder)) {
        char *slash = strrchr(folder, SEPARATOR);
        if (slash != NULL)
            *slash = '\0';
        intptr_t held = hold(folder, &why);
        why = (struct failure){become(folder, held, words, asked), NULL};
    }
    snprintf(text, sizeof text, "%s%c" PROGRAM " cannot be run (%s): this program needs its whole folder",
             folder, SEPARATOR, text_of(why));
    say(failure_stream(count, words), text);
    _Exit(1);
}
