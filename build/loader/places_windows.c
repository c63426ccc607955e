/* Where the single file may unpack itself on Windows: below this user's own folders. */
#include "single.h"
#include "on_windows.h"

#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a path leads to the same place from every working directory: D:x does not. */
static bool is_absolute(const wchar_t *path)
{
    bool drive = path[1] == L':' && (path[2] == L'\\' || path[2] == L'/');
    return drive || (path[0] == L'\\' && path[1] == L'\\');
}

static bool add_place(struct place *all, int *count, const wchar_t *variable, const wchar_t *below,
                      bool make)
{
    static wchar_t value[LONGEST_WIDE], whole[LONGEST_WIDE];
    struct place *place = &all[*count];
    DWORD length = GetEnvironmentVariableW(variable, value, LONGEST_WIDE - 16);
    /* CI templates leave empty ones, and a drive's own folder is none to rely on. */
    if (length < 3 || length >= LONGEST_WIDE - 16 || !is_absolute(value))
        return false;
    wcscat(value, below);
    length = GetFullPathNameW(value, LONGEST_WIDE, whole, NULL);
    if (length == 0 || length >= LONGEST_WIDE ||
        !narrow_to(whole, place->base, sizeof place->base - 64))
        return false;
    for (size_t end = strlen(place->base); end > 3 && place->base[end - 1] == '\\'; end--)
        place->base[end - 1] = '\0';
    snprintf(place->name, sizeof place->name, "credlatch");
    place->make = make;
    for (int i = 0; i < *count; i++)
        if (strcmp(all[i].base, place->base) == 0)
            return false;
    ++*count;
    return true;
}

/* In the order in which to try (helper/credlatch/install/places.py has the same). */
int places(struct place *all)
{
    int count = 0;
    if (!add_place(all, &count, L"LOCALAPPDATA", L"", true))
        add_place(all, &count, L"USERPROFILE", L"\\.cache", true);
    add_place(all, &count, L"TEMP", L"", false);
    return count;
}

/* Make a folder for this user alone, whatever the one around it says. */
static bool made(const char *path, struct failure *why)
{
    static wchar_t name[LONGEST_WIDE];
    char text[LONGEST_SID * 2], sid[LONGEST_SID];
    wchar_t rule[LONGEST_SID * 2];
    SECURITY_ATTRIBUTES with = {.nLength = sizeof with};
    if (!own_sid(sid, sizeof sid) || !wide_path(path, name, LONGEST_WIDE))
        return failed(why, last_failure(), NULL);
    /* Protected; all rights, inherited by files and folders: of the user, the system, and
       administrators. */
    snprintf(text, sizeof text, "O:%sD:P(A;OICI;FA;;;%s)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)", sid, sid);
    if (!wide(text, rule, LONGEST_SID * 2) ||
        !ConvertStringSecurityDescriptorToSecurityDescriptorW(rule, SDDL_REVISION_1,
                                                              &with.lpSecurityDescriptor, NULL))
        return failed(why, last_failure(), NULL);
    bool done = CreateDirectoryW(name, &with) || GetLastError() == ERROR_ALREADY_EXISTS ||
                failed(why, last_failure(), NULL);
    LocalFree(with.lpSecurityDescriptor);
    return done;
}

/* A folder, no link to one, that nobody else may change. */
static bool is_private(const char *path, struct failure *why)
{
    intptr_t held = hold(path, why);
    if (held == -1)
        return false;
    bool is = is_own_folder(held, why);
    release(held);
    return is;
}

bool is_own_folder(intptr_t held, struct failure *why)
{
    BY_HANDLE_FILE_INFORMATION file;
    if (!GetFileInformationByHandle((HANDLE)held, &file))
        return failed(why, last_failure(), NULL);
    if ((file.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0 ||
        (file.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
        return failed(why, 0, "not a folder");
    return is_ours((HANDLE)held, true, why);
}

/* Make the folder for unpacked programs, or find it. */
bool secure(const struct place *place, char *run, struct failure *why)
{
    static wchar_t base[LONGEST_WIDE];
    if (!wide_path(place->base, base, LONGEST_WIDE))
        return failed(why, ERROR_FILENAME_EXCED_RANGE, NULL);
    if (place->make && !CreateDirectoryW(base, NULL) && GetLastError() != ERROR_ALREADY_EXISTS)
        return failed(why, last_failure(), NULL);
    const char *slash = place->base[strlen(place->base) - 1] == '\\' ? "" : "\\";
    snprintf(run, LONGEST_PATH, "%s%s%s", place->base, slash, place->name);
    if (!made(run, why) || !is_private(run, why))
        return false;
    strcat(run, "\\run");
    return made(run, why) && is_private(run, why);
}
