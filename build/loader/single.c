/* How the single file goes on: as the program that it has unpacked, or unpacks now. */
#define _GNU_SOURCE
#include "single.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

_Noreturn void go_on(int count, char **words, const struct asked *asked)
{
    static struct place all[MOST_PLACES];
    static char run[LONGEST_PATH], folder[LONGEST_PATH], text[4 * LONGEST_PATH];
    size_t end = (size_t)snprintf(text, sizeof text,
                                  "the single file must unpack itself once, and cannot (");
    int most = places(all);
    for (int i = 0; i < most; i++) {
        struct failure why = {0};
        int held = secure(&all[i], run, &why) ? take(run, folder, &why) : -1;
        if (held >= 0) {
            fcntl(held, F_SETFD, 0);
            why = (struct failure){become(folder, words, asked), NULL};
            close(held);
        }
        if (end < sizeof text)
            end += (size_t)snprintf(text + end, sizeof text - end, "%s%s/%s/run: %s",
                                    i == 0 ? "" : "; ", all[i].base, all[i].name, text_of(why));
    }
    if (end < sizeof text)
        snprintf(text + end, sizeof text - end,
                 "): set XDG_CACHE_HOME to a folder of yours on a disk with 40 MB of room that may "
                 "hold programs");
    say(failure_stream(count, words), text);
    _exit(1);
}
