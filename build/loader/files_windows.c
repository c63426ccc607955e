/* The files of an unpacked program, on Windows. */
#include "single.h"
#include "on_windows.h"

#include <stdio.h>
#include <string.h>

static const int64_t TO_1970 = 11644473600; /* seconds from 1601, when Windows' time begins */
enum { EACH = 10000000 };                   /* of its units in a second */

int64_t seconds_of(FILETIME time)
{
    return (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime) / EACH - TO_1970;
}

FILETIME time_of(int64_t seconds)
{
    uint64_t time = (uint64_t)(seconds + TO_1970) * EACH;
    return (FILETIME){(DWORD)time, (DWORD)(time >> 32)};
}

/* Where a file of the payload is, which has slashes in its path. */
static bool located(const struct unpacking *folder, const char *path, wchar_t *out)
{
    static char whole_path[LONGEST_PATH + LONGEST_NAME];
    int length = snprintf(whole_path, sizeof whole_path, "%s\\%s", folder->path, path);
    if (length < 0 || length >= LONGEST_PATH)
        return false;
    for (char *slash = strchr(whole_path, '/'); slash != NULL; slash = strchr(slash, '/'))
        *slash = '\\';
    return wide_path(whole_path, out, LONGEST_WIDE);
}

bool status_of(const struct unpacking *folder, const char *path, struct file_status *found)
{
    static wchar_t name[LONGEST_WIDE];
    WIN32_FILE_ATTRIBUTE_DATA file;
    if (!located(folder, path, name) || !GetFileAttributesExW(name, GetFileExInfoStandard, &file) ||
        (file.dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) != 0)
        return false;
    found->size = (int64_t)((uint64_t)file.nFileSizeHigh << 32 | file.nFileSizeLow);
    found->when = seconds_of(file.ftLastWriteTime);
    return true;
}

/* Make the folders on the way to a file, below the one that it is unpacked in. */
static bool made_way(const struct unpacking *folder, const char *path)
{
    static wchar_t way[LONGEST_WIDE];
    char part[LONGEST_NAME];
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        if (!located(folder, part, way) ||
            (!CreateDirectoryW(way, NULL) && GetLastError() != ERROR_ALREADY_EXISTS))
            return false;
    }
    return true;
}

intptr_t create(const struct unpacking *folder, const char *path, bool program,
                struct failure *why)
{
    static wchar_t name[LONGEST_WIDE];
    HANDLE opened = INVALID_HANDLE_VALUE;
    (void)program; /* its name says so */
    if (made_way(folder, path) && located(folder, path, name))
        opened = CreateFileW(name, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    if (opened == INVALID_HANDLE_VALUE)
        failed(why, last_failure(), NULL);
    return (intptr_t)opened;
}

bool append(intptr_t opened, const void *data, size_t length, struct failure *why)
{
    DWORD count;
    return (WriteFile((HANDLE)opened, data, (DWORD)length, &count, NULL) && count == length) ||
           failed(why, last_failure(), NULL);
}

/* Close a file; if it is done, with that time, and on the disk. */
bool finish(const struct unpacking *folder, const char *path, intptr_t opened, int64_t when,
            bool done, struct failure *why)
{
    FILETIME time = time_of(when);
    (void)folder;
    (void)path;
    if (done &&
        (!SetFileTime((HANDLE)opened, NULL, NULL, &time) || !FlushFileBuffers((HANDLE)opened)))
        done = failed(why, last_failure(), NULL);
    CloseHandle((HANDLE)opened);
    return done;
}
