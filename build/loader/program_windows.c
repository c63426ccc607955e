/* Running the program on Windows, where no process can become another: it has this one's command
   line, streams and environment, ends with it, and gives it its exit status. */
#include "on_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cut a path before its last separator. */
static void cut(wchar_t *path)
{
    wchar_t *last = wcsrchr(path, L'\\');
    if (last != NULL)
        *last = 0;
}

/* Whether the program is beside this one. */
static bool is_beside(const wchar_t *own)
{
    static wchar_t program[LONGEST_WIDE + 64];
    wcscpy(program, own);
    cut(program);
    size_t length = wcslen(program);
    swprintf(program + length, 64, L"\\%hs", PROGRAM);
    return GetFileAttributesW(program) != INVALID_FILE_ATTRIBUTES;
}

/* Where a link leads, by which this program is called; false: that cannot be told. */
static bool followed(const wchar_t *own, wchar_t *real)
{
    HANDLE file = CreateFileW(own, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    DWORD length = GetFinalPathNameByHandleW(file, real, LONGEST_WIDE, FILE_NAME_NORMALIZED);
    CloseHandle(file);
    return length > 0 && length < LONGEST_WIDE;
}

/* Where this program is, whatever link it was called by. */
bool own_path(char *path, size_t room)
{
    static wchar_t own[LONGEST_WIDE], real[LONGEST_WIDE];
    DWORD length = GetModuleFileNameW(NULL, own, LONGEST_WIDE);
    if (length == 0 || length >= LONGEST_WIDE)
        return false;
    if (is_beside(own) || !followed(own, real))
        return narrow_to(own, path, room);
    /* Without the prefix, which Python does not know what to do with. */
    if (wcsncmp(real, L"\\\\?\\UNC\\", 8) == 0) {
        real[6] = L'\\';
        return narrow_to(real + 6, path, room);
    }
    return narrow_to(real + (wcsncmp(real, L"\\\\?\\", 4) == 0 ? 4 : 0), path, room);
}

/* Keep a folder from being removed, or moved away, as long as this process or the program has it
   open; -1: it is not there, or is being removed. */
intptr_t hold(const char *folder, struct failure *why)
{
    static wchar_t path[LONGEST_WIDE];
    static const DWORD ACCESS = FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES | READ_CONTROL;
    if (!wide_path(folder, path, LONGEST_WIDE)) {
        failed(why, ERROR_FILENAME_EXCED_RANGE, NULL);
        return -1;
    }
    HANDLE held = INVALID_HANDLE_VALUE;
    for (int i = 0; i < 2 && held == INVALID_HANDLE_VALUE; i++) /* the time of a use is noted */
        held = CreateFileW(path, ACCESS | (i == 0 ? FILE_WRITE_ATTRIBUTES : 0),
                           FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                           FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (held == INVALID_HANDLE_VALUE) {
        failed(why, last_failure(), NULL);
        return -1;
    }
    return (intptr_t)held;
}

void release(intptr_t held) { CloseHandle((HANDLE)held); }

/* Tell the program what it has to know, by this process's environment, which it has, too. */
static void tell(const struct asked *asked)
{
    static wchar_t text[1000];
    wchar_t *all = GetEnvironmentStringsW();
    /* Another frozen program, which calls us, has its own for its loader. */
    for (const wchar_t *at = all; at != NULL && *at != 0; at += wcslen(at) + 1) {
        const wchar_t *sign = wcschr(at, L'=');
        size_t length = sign == NULL ? 0 : (size_t)(sign - at);
        if (wcsncmp(at, L"_PYI_", 5) != 0 || length >= 1000)
            continue;
        memcpy(text, at, length * sizeof *text);
        text[length] = 0;
        SetEnvironmentVariableW(text, NULL);
    }
    if (all != NULL)
        FreeEnvironmentStringsW(all);
    const char *value = NULL;
    if (asked->began != 0 || asked->failed)
        value = told(asked) + sizeof ASKED; /* after its name and the sign */
    SetEnvironmentVariableW(L"" ASKED, value != NULL && wide(value, text, 1000) ? text : NULL);
}

/* A job that ends the program when this process ends, and nothing that the program starts. */
static HANDLE job(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
    HANDLE made = CreateJobObjectW(NULL, NULL);
    limits.BasicLimitInformation.LimitFlags =
        JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK |
        JOB_OBJECT_LIMIT_BREAKAWAY_OK; /* the agent, which asks for it */
    if (made != NULL &&
        SetInformationJobObject(made, JobObjectExtendedLimitInformation, &limits, sizeof limits))
        return made;
    return NULL;
}

/* A standard stream as a child can have it; NULL: there is none. */
static HANDLE inherited(DWORD which)
{
    HANDLE own = GetStdHandle(which), other, this = GetCurrentProcess();
    if (own == NULL || own == INVALID_HANDLE_VALUE ||
        !DuplicateHandle(this, own, this, &other, 0, TRUE, DUPLICATE_SAME_ACCESS))
        return NULL;
    return other;
}

/* What Ctrl-C means is for the program to say, which gets it, too. */
static BOOL WINAPI left_to_the_program(DWORD event)
{
    (void)event;
    return TRUE;
}

static const DWORD STREAMS[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};

/* Start the program, in a job from its first moment if the system can do that. */
static bool started(const wchar_t *path, HANDLE within, HANDLE *given, PROCESS_INFORMATION *process)
{
    static union {
        max_align_t align;
        char bytes[512];
    } list;
    STARTUPINFOEXW with = {.StartupInfo.cb = sizeof with};
    STARTUPINFOW ours = {.cb = sizeof ours};
    SIZE_T size = sizeof list;
    GetStartupInfoW(&ours);
    with.StartupInfo.dwFlags = STARTF_USESTDHANDLES | (ours.dwFlags & STARTF_USESHOWWINDOW);
    with.StartupInfo.wShowWindow = ours.wShowWindow;
    for (size_t i = 0; i < 3; i++)
        given[i] = inherited(STREAMS[i]);
    with.StartupInfo.hStdInput = given[0];
    with.StartupInfo.hStdOutput = given[1];
    with.StartupInfo.hStdError = given[2];
    with.lpAttributeList = (LPPROC_THREAD_ATTRIBUTE_LIST)&list;
    /* Where there is no console, none is made for it. */
    DWORD flags = GetConsoleCP() == 0 ? DETACHED_PROCESS : 0;
    if (within != NULL && InitializeProcThreadAttributeList(with.lpAttributeList, 1, 0, &size) &&
        UpdateProcThreadAttribute(with.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, &within,
                                  sizeof within, NULL, NULL) &&
        CreateProcessW(path, GetCommandLineW(), NULL, NULL, TRUE,
                       flags | EXTENDED_STARTUPINFO_PRESENT, NULL, NULL, &with.StartupInfo, process))
        return true;
    with.StartupInfo.cb = sizeof with.StartupInfo;
    if (!CreateProcessW(path, GetCommandLineW(), NULL, NULL, TRUE, flags, NULL, NULL,
                        &with.StartupInfo, process))
        return false;
    if (within != NULL)
        AssignProcessToJobObject(within, process->hProcess);
    return true;
}

/* Run the program of a folder, which goes on holding it, and end as it ends; gives the system's
   number of what went wrong. */
int become(const char *folder, intptr_t held, char **words, const struct asked *asked)
{
    static char path[LONGEST_PATH + 64];
    static wchar_t program[LONGEST_WIDE];
    PROCESS_INFORMATION process;
    HANDLE given[3];
    DWORD status;
    (void)words; /* the command line is handed on as it is */
    snprintf(path, sizeof path, "%s\\" PROGRAM, folder);
    if (!wide(path, program, LONGEST_WIDE))
        return ERROR_FILENAME_EXCED_RANGE;
    tell(asked);
    if (held != -1)
        SetHandleInformation((HANDLE)held, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    SetConsoleCtrlHandler(left_to_the_program, TRUE);
    if (!started(program, job(), given, &process))
        return last_failure();
    /* Whoever is at the other end sees what the program closes. */
    for (size_t i = 0; i < 3; i++) {
        CloseHandle(GetStdHandle(STREAMS[i]));
        CloseHandle(given[i]);
    }
    WaitForSingleObject(process.hProcess, INFINITE);
    ExitProcess(GetExitCodeProcess(process.hProcess, &status) ? status : 1);
}
