/* What the parts for Windows share beside loader.h.

   All texts are UTF-8 here, with lone surrogates as they are (Python's surrogatepass). */
#ifndef ON_WINDOWS_H
#define ON_WINDOWS_H

#include "loader.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

enum {
    LONGEST_WIDE = 32768,  /* units of a path, or of a variable */
    LONGEST_SID = 256,     /* bytes of one as text: at most 15 numbers */
};

/* system_windows.c */
bool wide(const char *text, wchar_t *out, size_t room);
bool wide_path(const char *path, wchar_t *out, size_t room);
char *narrow(const wchar_t *text);
bool narrow_to(const wchar_t *text, char *out, size_t room);

/* place_windows.c */
bool is_own_process(HANDLE process);
bool own_sid(char *text, size_t room);
bool is_ours(HANDLE object, bool file, struct failure *why);

/* files_windows.c */
int64_t seconds_of(FILETIME time);
FILETIME time_of(int64_t seconds);

#endif
