/* Standard input on Windows, read, and handed on when the agent does not answer. */
#include "on_windows.h"

#include <string.h>

enum { CHUNK = 65536 };

static char chunk[CHUNK];

/* Some of standard input; 0: it has ended; -1: it cannot be read. */
static ssize_t read_from(HANDLE stream)
{
    DWORD count;
    if (ReadFile(stream, chunk, sizeof chunk, &count, NULL))
        return (ssize_t)count;
    return GetLastError() == ERROR_BROKEN_PIPE ? 0 : -1; /* who wrote has closed it */
}

ssize_t some_input(char **read_bytes)
{
    *read_bytes = chunk;
    return read_from(GetStdHandle(STD_INPUT_HANDLE));
}

/* Who feeds the program with what was read, and with what comes after. */
struct feeder {
    HANDLE from, to;
    const struct input *input;
};

static bool fed(HANDLE to, const char *data, size_t length)
{
    size_t done = 0;
    while (done < length) {
        DWORD count;
        if (!WriteFile(to, data + done, (DWORD)(length - done), &count, NULL))
            return false;
        done += count;
    }
    return true;
}

static DWORD WINAPI feed(void *given)
{
    struct feeder *feeder = given;
    bool goes_on = fed(feeder->to, feeder->input->taken.at, feeder->input->taken.length);
    while (goes_on && !feeder->input->ended) {
        ssize_t count = read_from(feeder->from);
        goes_on = count > 0 && fed(feeder->to, chunk, (size_t)count);
    }
    CloseHandle(feeder->to);
    return 0;
}

/* Make what has been read what will be read next: by a pipe, which a thread writes to as long as
   this process waits for the program. */
bool hand_on(struct input *input)
{
    static struct feeder feeder;
    HANDLE read_end;
    if (input->taken.length == 0 && !input->ended)
        return true; /* it is as it was */
    if (!CreatePipe(&read_end, &feeder.to, NULL, CHUNK))
        return false;
    feeder.from = GetStdHandle(STD_INPUT_HANDLE);
    feeder.input = input;
    HANDLE thread = CreateThread(NULL, 0, feed, &feeder, 0, NULL);
    if (thread == NULL || !SetStdHandle(STD_INPUT_HANDLE, read_end))
        return false;
    CloseHandle(thread);
    return true;
}
