/* Windows: its texts, time, streams, and its words for what goes wrong. */
#include "on_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next character of UTF-16, which a lone surrogate is, too. */
static uint32_t next_of_wide(const wchar_t **at)
{
    uint32_t first = *(*at)++, second = first == 0 ? 0 : **at;
    if (first < 0xd800 || first >= 0xdc00 || second < 0xdc00 || second >= 0xe000)
        return first;
    ++*at;
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

static size_t put_narrow(uint32_t point, char *out)
{
    static const unsigned char FIRST[] = {0, 0xc0, 0xe0, 0xf0};
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    for (size_t i = more; i > 0; i--, point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3f));
    out[0] = (char)(FIRST[more] | point);
    return more + 1;
}

char *narrow(const wchar_t *text)
{
    char *out = malloc(wcslen(text) * 3 + 1), *end = out;
    if (out == NULL)
        return NULL;
    while (*text != 0)
        end += put_narrow(next_of_wide(&text), end);
    *end = '\0';
    return out;
}

bool narrow_to(const wchar_t *text, char *out, size_t room)
{
    char *all = narrow(text);
    bool fits = all != NULL && strlen(all) < room;
    if (fits)
        strcpy(out, all);
    free(all);
    return fits;
}

/* The next character of UTF-8; false: it is none. */
static bool next_of_narrow(const unsigned char **at, uint32_t *point)
{
    unsigned char first = *(*at)++;
    size_t more = first < 0x80 ? 0 : first < 0xc2 ? 4 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (more == 4 || first > 0xf4)
        return false;
    *point = more == 0 ? first : first & (0x3fU >> more);
    for (size_t i = 0; i < more; i++) {
        if ((**at & 0xc0) != 0x80)
            return false;
        *point = *point << 6 | (*(*at)++ & 0x3f);
    }
    return *point >= (more == 2 ? 0x800U : more == 3 ? 0x10000U : 0) && *point < 0x110000;
}

bool wide(const char *text, wchar_t *out, size_t room)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = 0;
    while (*at != '\0') {
        uint32_t point;
        if (length + 3 > room || !next_of_narrow(&at, &point))
            return false;
        if (point < 0x10000) {
            out[length++] = (wchar_t)point;
        } else {
            out[length++] = (wchar_t)(0xd800 + ((point - 0x10000) >> 10));
            out[length++] = (wchar_t)(0xdc00 + (point & 0x3ff));
        }
    }
    if (length >= room)
        return false;
    out[length] = 0;
    return true;
}

/* An absolute path as files are asked for, of whatever length (\\?\, by Windows' documentation of
   file names). */
bool wide_path(const char *path, wchar_t *out, size_t room)
{
    const char *prefix = "";
    char whole[LONGEST_PATH + 16];
    if (path[0] != '\0' && path[1] == ':') {
        prefix = "\\\\?\\";
    } else if (path[0] == '\\' && path[1] == '\\' && path[2] != '?' && path[2] != '.') {
        prefix = "\\\\?\\UNC\\";
        path += 2;
    }
    int length = snprintf(whole, sizeof whole, "%s%s", prefix, path);
    return length > 0 && (size_t)length < sizeof whole && wide(whole, out, room);
}

/* The variables of the caller, without Windows' own, of which each drive has one for its folder. */
char **caller_variables(void)
{
    wchar_t *all = GetEnvironmentStringsW();
    size_t count = 0, kept = 0;
    for (const wchar_t *at = all; at != NULL && *at != 0; at += wcslen(at) + 1)
        count++;
    char **variables = calloc(count + 1, sizeof *variables);
    for (const wchar_t *at = all; variables != NULL && at != NULL && *at != 0; at += wcslen(at) + 1)
        if (*at != L'=' && (variables[kept] = narrow(at)) != NULL)
            kept++;
    if (all != NULL)
        FreeEnvironmentStringsW(all);
    static char *none[1];
    return variables == NULL ? none : variables;
}

const char *system_words(int number)
{
    static char text[1000];
    wchar_t words[300];
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL,
                                  (DWORD)number, 0, words, 300, NULL);
    while (length > 0 && wcschr(L" .\r\n", words[length - 1]) != NULL)
        length--;
    words[length < 300 ? length : 299] = 0;
    if (length == 0 || !narrow_to(words, text, sizeof text))
        snprintf(text, sizeof text, "error %d", number);
    return text;
}

int last_failure(void) { return (int)GetLastError(); }

bool reader_is_gone(int number)
{
    return number == ERROR_BROKEN_PIPE || number == ERROR_NO_DATA ||
           number == ERROR_PIPE_NOT_CONNECTED;
}

void ignore_broken_pipes(void) {} /* nobody is ended by one */

bool working_folder(char *path, size_t room)
{
    static wchar_t folder[LONGEST_WIDE];
    DWORD length = GetCurrentDirectoryW(LONGEST_WIDE, folder);
    return length > 0 && length < LONGEST_WIDE && narrow_to(folder, path, room);
}

/* Nanoseconds on the clock of Python's time.perf_counter. */
int64_t now(void)
{
    LARGE_INTEGER count, each;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&each);
    return count.QuadPart / each.QuadPart * 1000000000 +
           count.QuadPart % each.QuadPart * 1000000000 / each.QuadPart;
}

bool write_all(int stream, const char *data, size_t length, size_t *written)
{
    enum { MOST = 32768 }; /* bytes at once: a console takes no more than 64 KiB */
    HANDLE out = GetStdHandle(stream == 1 ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
    *written = 0;
    while (*written < length) {
        size_t left = length - *written;
        DWORD count = 0;
        if (!WriteFile(out, data + *written, (DWORD)(left < MOST ? left : MOST), &count, NULL))
            return false;
        *written += count;
    }
    return true;
}
