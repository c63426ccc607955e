/* Removing what killed processes have left, and builds that nobody has used for long. On Windows. */
#include "single.h"
#include "on_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Do something with each entry of a folder. */
static void each(const wchar_t *folder,
                 void (*see)(const wchar_t *folder, const WIN32_FIND_DATAW *entry))
{
    wchar_t *pattern = malloc((wcslen(folder) + 3) * sizeof *pattern);
    if (pattern == NULL)
        return;
    wcscpy(pattern, folder);
    wcscat(pattern, L"\\*");
    WIN32_FIND_DATAW entry;
    HANDLE all = FindFirstFileW(pattern, &entry);
    free(pattern);
    if (all == INVALID_HANDLE_VALUE)
        return;
    do {
        if (wcscmp(entry.cFileName, L".") != 0 && wcscmp(entry.cFileName, L"..") != 0)
            see(folder, &entry);
    } while (FindNextFileW(all, &entry));
    FindClose(all);
}

static bool is_folder(DWORD attributes)
{
    return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

static void remove_entry(const wchar_t *folder, const WIN32_FIND_DATAW *entry)
{
    wchar_t *path = malloc((wcslen(folder) + wcslen(entry->cFileName) + 2) * sizeof *path);
    if (path == NULL)
        return;
    wcscpy(path, folder);
    wcscat(path, L"\\");
    wcscat(path, entry->cFileName);
    /* A link goes, and what it leads to stays. */
    if (is_folder(entry->dwFileAttributes) &&
        (entry->dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0)
        each(path, remove_entry);
    if (is_folder(entry->dwFileAttributes))
        RemoveDirectoryW(path);
    else
        DeleteFileW(path);
    free(path);
}

/* Remove a folder and all that is in it, as far as that goes. */
void remove_all(const char *folder)
{
    static wchar_t path[LONGEST_WIDE];
    if (!wide_path(folder, path, LONGEST_WIDE))
        return;
    each(path, remove_entry);
    RemoveDirectoryW(path);
}

/* Remove a folder that nobody has open: no program runs from it, and nobody unpacks there. */
static void discard(const wchar_t *run, const char *name)
{
    static wchar_t path[LONGEST_WIDE], old[LONGEST_WIDE], wide_name[300];
    static char aside[300];
    snprintf(aside, sizeof aside, ".old-%.200s-%lu", name, GetCurrentProcessId());
    if (wcslen(run) > LONGEST_WIDE - 300 || !wide(name, wide_name, 250))
        return;
    swprintf(path, LONGEST_WIDE, L"%ls\\%ls", run, wide_name);
    swprintf(old, LONGEST_WIDE, L"%ls\\%hs", run, aside);
    if (strncmp(name, ".old-", 5) != 0) {
        if (!MoveFileExW(path, old, 0))
            return;
        wcscpy(path, old);
    }
    each(path, remove_entry);
    RemoveDirectoryW(path);
}

static void see(const wchar_t *run, const WIN32_FIND_DATAW *entry)
{
    char name[300];
    if (!is_folder(entry->dwFileAttributes) || !narrow_to(entry->cFileName, name, sizeof name))
        return;
    bool aside = strncmp(name, ".new-", 5) == 0 || strncmp(name, ".old-", 5) == 0;
    bool unused = is_build(name) && strcmp(name, BUILD) != 0 &&
                  time(NULL) - seconds_of(entry->ftLastWriteTime) > UNUSED;
    if (aside || unused)
        discard(run, name);
}

/* Called before anything is unpacked: what a process leaves that is killed meanwhile, the next one
   removes, as it has to unpack as well. */
void sweep(const char *run)
{
    static wchar_t path[LONGEST_WIDE];
    if (wide_path(run, path, LONGEST_WIDE))
        each(path, see);
}
