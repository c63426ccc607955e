/* How the single file goes on: as the program that it has unpacked, or unpacks now. */
#include "single.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void go_on(int count, char **words, const struct asked *asked)
{
    static struct place all[MOST_PLACES];
    static char run[LONGEST_PATH], folder[LONGEST_PATH], text[4 * LONGEST_PATH];
    size_t end = (size_t)snprintf(text, sizeof text,
                                  "the single file must unpack itself once, and cannot (");
    int most = places(all);
    for (int i = 0; i < most; i++) {
        struct failure why = {0};
        intptr_t held = secure(&all[i], run, &why) ? take(run, folder, &why) : -1;
        if (held != -1) {
            why = (struct failure){become(folder, held, words, asked), NULL};
            release(held);
        }
        if (end < sizeof text)
            end += (size_t)snprintf(text + end, sizeof text - end, "%s%s%c%s%crun: %s",
                                    i == 0 ? "" : "; ", all[i].base, SEPARATOR, all[i].name,
                                    SEPARATOR, text_of(why));
    }
    if (end < sizeof text)
        snprintf(text + end, sizeof text - end,
                 "): set " CACHE " to a folder of yours on a disk with 40 MB of room that may hold "
                 "programs");
    say(failure_stream(count, words), text);
    _Exit(1);
}
