/* How the launcher begins on Windows. */
#include "on_windows.h"

#include <stdlib.h>

/* The C library hands on words with a star as they are, and puts no names of files in their place. */
int _dowildcard = 0;

/* Whether standard input is a folder: Python would not even start. */
bool input_is_a_folder(void)
{
    BY_HANDLE_FILE_INFORMATION file;
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    return GetFileType(input) == FILE_TYPE_DISK && GetFileInformationByHandle(input, &file) &&
           (file.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

int wmain(int count, wchar_t **words)
{
    char **all = calloc((size_t)count + 1, sizeof *all);
    /* What Windows' libraries load by name when they are first asked (ntmarta.dll, for access lists)
       is Windows' own, and nothing that lies in the folder of downloads beside the single file. */
    SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    /* A crash is shown to nobody, and leaves no report with a secret in it; the program inherits
       that. */
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    for (int i = 0; all != NULL && i < count; i++)
        if ((all[i] = narrow(words[i])) == NULL)
            all = NULL;
    return all == NULL ? 1 : launch(count, all);
}
