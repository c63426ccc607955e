/* A connection to the agent: a named pipe, whose other end is seen to be this user's first. */
#include "on_windows.h"

static HANDLE server; /* the process at the other end */
static HANDLE event;  /* of what is being read or written */

/* Milliseconds until then, at least one. */
static DWORD left_until(int64_t end)
{
    int64_t left = (end - now() + 999999) / 1000000;
    return left < 1 ? 1 : (DWORD)left;
}

/* Whether who listens is this user: by its process, and by the pipe's owner, as a process's number
   may be another one's by now. */
static bool is_own(HANDLE pipe, struct failure *why)
{
    ULONG number = 0;
    if (!GetNamedPipeServerProcessId(pipe, &number))
        return failed(why, last_failure(), NULL);
    server = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, number);
    if (server == NULL || !is_own_process(server))
        return failed(why, 0, "it is another user's");
    return is_ours(pipe, false, why);
}

/* A connection to whoever listens at a path, if that is who may; -1 otherwise.

   Whoever listens may learn who we are, and not act as us: the flags. */
intptr_t connected(const char *path, bool forwarded, struct failure *why)
{
    static wchar_t name[LONGEST_WIDE];
    HANDLE pipe = INVALID_HANDLE_VALUE;
    int64_t end = now() + PATIENCE;
    (void)forwarded;
    if (!wide(path, name, LONGEST_WIDE))
        return -1;
    if (event == NULL)
        event = CreateEventW(NULL, TRUE, FALSE, NULL);
    for (;;) {
        pipe = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                           FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                           NULL);
        if (pipe != INVALID_HANDLE_VALUE)
            break;
        /* Others call at the same time, and the next end is not there yet. */
        if (GetLastError() != ERROR_PIPE_BUSY || now() >= end) {
            failed(why, last_failure(), NULL);
            return -1;
        }
        WaitNamedPipeW(name, left_until(end));
    }
    if (is_own(pipe, why))
        return (intptr_t)pipe;
    disconnect((intptr_t)pipe);
    return -1;
}

void disconnect(intptr_t connection)
{
    CloseHandle((HANDLE)connection);
    if (server != NULL)
        CloseHandle(server);
    server = NULL;
}

/* Whether the process that listens is still there: where many call at once, it may wait for a
   processor for longer than a sign of life takes. */
static bool is_at_work(void)
{
    return server != NULL && WaitForSingleObject(server, 0) == WAIT_TIMEOUT;
}

/* Wait until something is read or written; false: it has failed, or the time is up. */
static bool done(HANDLE pipe, OVERLAPPED *what, DWORD *count, int64_t deadline,
                 struct failure *why)
{
    int64_t begin = now(), end = begin + PATIENCE;
    if (end > deadline)
        end = deadline;
    while (WaitForSingleObject(event, left_until(end)) == WAIT_TIMEOUT) {
        if (now() < end)
            continue;
        if (end < deadline && end - begin < BUSY && is_at_work()) {
            end = end + PATIENCE < deadline ? end + PATIENCE : deadline;
            continue;
        }
        failed(why, 0, end == deadline ? "it takes too long" : "timed out");
        CancelIo(pipe);
        GetOverlappedResult(pipe, what, count, TRUE);
        return false;
    }
    return GetOverlappedResult(pipe, what, count, TRUE) || GetLastError() == ERROR_MORE_DATA ||
           failed(why, last_failure(), NULL);
}

bool sent_all(intptr_t connection, const struct buffer *frame, int64_t deadline, struct failure *why)
{
    HANDLE pipe = (HANDLE)connection;
    size_t sent_already = 0;
    while (sent_already < frame->length) {
        OVERLAPPED what = {.hEvent = event};
        DWORD count;
        if (!WriteFile(pipe, frame->at + sent_already, (DWORD)(frame->length - sent_already), NULL,
                       &what) &&
            GetLastError() != ERROR_IO_PENDING)
            return failed(why, last_failure(), NULL);
        if (!done(pipe, &what, &count, deadline, why))
            return false;
        sent_already += count;
    }
    return true;
}

bool received(intptr_t connection, void *data, size_t room, size_t *count, int64_t deadline,
              struct failure *why)
{
    HANDLE pipe = (HANDLE)connection;
    OVERLAPPED what = {.hEvent = event};
    DWORD length = 0;
    if (!ReadFile(pipe, data, (DWORD)room, NULL, &what) && GetLastError() != ERROR_IO_PENDING &&
        GetLastError() != ERROR_MORE_DATA)
        return failed(why, last_failure(), NULL);
    if (!done(pipe, &what, &length, deadline, why))
        return false;
    *count = length;
    return length > 0 || failed(why, 0, "it has gone");
}
