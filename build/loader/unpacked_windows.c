/* Finding the unpacked program, or unpacking it: once, whole, and by one process. On Windows. */
#include "single.h"
#include "on_windows.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* A folder that has just been written is read by virus scanners, and cannot be moved meanwhile. */
static const int64_t SCANNED = 2000000000; /* nanoseconds */

/* Hold an unpacked program that is as it should be; -1: there is none. */
static intptr_t found(const char *folder, struct failure *why)
{
    BY_HANDLE_FILE_INFORMATION file;
    intptr_t held = hold(folder, why);
    if (held == -1)
        return -1;
    if (!is_own_folder(held, why) || !whole(&(struct unpacking){held, folder}) ||
        !GetFileInformationByHandle((HANDLE)held, &file)) {
        release(held);
        return -1;
    }
    if (time(NULL) - seconds_of(file.ftLastWriteTime) > NOTED) {
        FILETIME today = time_of(time(NULL));
        SetFileTime((HANDLE)held, NULL, NULL, &today); /* a read-only disk does as well */
    }
    return held;
}

static bool moved(const char *from, const char *to, int64_t patience)
{
    static wchar_t old[LONGEST_WIDE], new[LONGEST_WIDE];
    int64_t end = now() + patience;
    if (!wide_path(from, old, LONGEST_WIDE) || !wide_path(to, new, LONGEST_WIDE))
        return false;
    while (!MoveFileExW(old, new, 0)) {
        DWORD number = GetLastError();
        /* What is there already says so with the same number as what is in use. */
        bool waits = (number == ERROR_ACCESS_DENIED || number == ERROR_SHARING_VIOLATION) &&
                     GetFileAttributesW(new) == INVALID_FILE_ATTRIBUTES;
        if (!waits || now() > end)
            return false;
        Sleep(10);
    }
    return true;
}

/* Put a fresh folder where it belongs, and hold it. */
static intptr_t put(const char *run, const char *fresh, char *folder, struct failure *why)
{
    static char old[LONGEST_PATH + 64];
    if (moved(fresh, folder, SCANNED))
        return hold(folder, why);
    intptr_t held = found(folder, why);
    if (held != -1) { /* somebody who did not wait has put one there */
        remove_all(fresh);
        return held;
    }
    snprintf(old, sizeof old, "%s\\.old-" BUILD "-%lu-%llx", run, GetCurrentProcessId(),
             (unsigned long long)now());
    if (moved(folder, old, 0) && moved(fresh, folder, SCANNED)) {
        held = hold(folder, why);
        remove_all(old);
        return held;
    }
    /* A damaged one that a program runs from stays; this call does with its own. */
    strcpy(folder, fresh);
    return hold(folder, why);
}

static intptr_t unpack_aside(const char *run, char *folder, struct failure *why)
{
    static char fresh[LONGEST_PATH];
    static wchar_t path[LONGEST_WIDE];
    int length = snprintf(fresh, sizeof fresh, "%s\\.new-" BUILD "-%lu-%llx", run,
                          GetCurrentProcessId(), (unsigned long long)now());
    if (length < 0 || length >= (int)sizeof fresh || !wide_path(fresh, path, LONGEST_WIDE)) {
        failed(why, ERROR_FILENAME_EXCED_RANGE, NULL);
        return -1;
    }
    if (!CreateDirectoryW(path, NULL)) {
        failed(why, last_failure(), NULL);
        return -1;
    }
    intptr_t held = hold(fresh, why);
    bool done = held != -1 && unpack(&(struct unpacking){held, fresh}, why);
    if (held != -1)
        release(held); /* what is held cannot be moved */
    held = done ? put(run, fresh, folder, why) : -1;
    if (held == -1)
        remove_all(fresh);
    return held;
}

/* The lock of those who unpack: a file that one has open; NULL: it cannot be had in time. */
static HANDLE locked(const char *run)
{
    static char lock[LONGEST_PATH + 8];
    static wchar_t path[LONGEST_WIDE];
    int64_t end = now() + OTHERS;
    snprintf(lock, sizeof lock, "%s\\" LOCK, run);
    if (!wide_path(lock, path, LONGEST_WIDE))
        return NULL;
    for (;;) {
        HANDLE opened = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_ALWAYS,
                                    FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
        if (opened != INVALID_HANDLE_VALUE)
            return opened;
        if (GetLastError() != ERROR_SHARING_VIOLATION || now() > end)
            return NULL;
        Sleep(10);
    }
}

/* The folder of the program, held; -1: there is none, and it cannot be unpacked here. */
intptr_t take(const char *run, char *folder, struct failure *why)
{
    int length = snprintf(folder, LONGEST_PATH, "%s\\" BUILD, run);
    if (length < 0 || length >= LONGEST_PATH) {
        failed(why, ERROR_FILENAME_EXCED_RANGE, NULL);
        return -1;
    }
    intptr_t held = found(folder, why);
    if (held != -1)
        return held;
    HANDLE lock = locked(run);
    held = lock == NULL ? -1 : found(folder, why); /* by now */
    if (held == -1) {
        if (lock != NULL)
            sweep(run);
        held = unpack_aside(run, folder, why);
    }
    if (lock != NULL)
        CloseHandle(lock);
    return held;
}
