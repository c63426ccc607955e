/* Where the agent's pipe is, who may be at its other end, and whose something else is.

   The agent makes the pipe by the same rules (helper/credlatch/agent). */
#include "on_windows.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All rights by which somebody puts another thing in the place of this one, or changes it. */
#define CHANGES                                                                                    \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | FILE_WRITE_EA | DELETE | WRITE_DAC | \
     WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)

/* Something that a process's token says; NULL: it does not. */
static void *token_says(HANDLE process, TOKEN_INFORMATION_CLASS what)
{
    HANDLE token;
    DWORD length = 0;
    if (!OpenProcessToken(process, TOKEN_QUERY, &token))
        return NULL;
    GetTokenInformation(token, what, NULL, 0, &length);
    void *said = malloc(length);
    if (said != NULL && !GetTokenInformation(token, what, said, length, &length)) {
        free(said);
        said = NULL;
    }
    CloseHandle(token);
    return said;
}

/* Whether a process is this user's. */
bool is_own_process(HANDLE process)
{
    TOKEN_USER *own = token_says(GetCurrentProcess(), TokenUser);
    TOKEN_USER *its = token_says(process, TokenUser);
    bool same = own != NULL && its != NULL && EqualSid(own->User.Sid, its->User.Sid);
    free(own);
    free(its);
    return same;
}

/* This user's identifier, as text. */
bool own_sid(char *text, size_t room)
{
    TOKEN_USER *user = token_says(GetCurrentProcess(), TokenUser);
    wchar_t *sid = NULL;
    bool known = user != NULL && ConvertSidToStringSidW(user->User.Sid, &sid) &&
                 narrow_to(sid, text, room);
    LocalFree(sid);
    free(user);
    return known;
}

/* Whether somebody can do all to this machine, and so to this user, anyway. */
static bool is_master(PSID sid)
{
    return IsWellKnownSid(sid, WinLocalSystemSid) || IsWellKnownSid(sid, WinBuiltinAdministratorsSid);
}

static bool is_trusted(PSID sid)
{
    TOKEN_USER *own = token_says(GetCurrentProcess(), TokenUser);
    bool is = own != NULL && (EqualSid(sid, own->User.Sid) || is_master(sid));
    free(own);
    return is;
}

/* Whether nobody but who is trusted may change something. */
static bool only_we_change(PACL list)
{
    for (DWORD i = 0; list != NULL && i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry;
        if (!GetAce(list, i, (void **)&entry))
            return false;
        if (entry->Header.AceType == ACCESS_DENIED_ACE_TYPE ||
            (entry->Header.AceFlags & INHERIT_ONLY_ACE) != 0)
            continue;
        /* Other kinds have their user elsewhere, and files have none of them. */
        if (entry->Header.AceType != ACCESS_ALLOWED_ACE_TYPE ||
            ((entry->Mask & CHANGES) != 0 && !is_trusted(&entry->SidStart)))
            return false;
    }
    return list != NULL; /* without one everybody may do all */
}

/* Whether something is this user's, or of who can do all to it, and nobody else may change it. */
bool is_ours(HANDLE object, bool file, struct failure *why)
{
    PSECURITY_DESCRIPTOR whole = NULL;
    PSID owner = NULL;
    PACL list = NULL;
    DWORD number = GetSecurityInfo(object, file ? SE_FILE_OBJECT : SE_KERNEL_OBJECT,
                                   OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
                                   NULL, &list, NULL, &whole);
    bool ours = false;
    if (number != ERROR_SUCCESS)
        failed(why, (int)number, NULL);
    else if (owner == NULL || !is_trusted(owner))
        failed(why, 0, "another user's");
    else if (!only_we_change(list))
        failed(why, 0, "other users may change it");
    else
        ours = true;
    LocalFree(whole);
    return ours;
}

bool own_socket(char *path, size_t room)
{
    char sid[LONGEST_SID];
    if (!own_sid(sid, sizeof sid))
        return false;
    int length = snprintf(path, room, "\\\\.\\pipe\\credlatch-%s-" BUILD, sid);
    return length > 0 && (size_t)length < room;
}

/* That is told by a connection, before anything is said on it (connection_windows.c). */
bool is_own_socket(const char *path, struct failure *why)
{
    (void)path;
    (void)why;
    return true;
}

bool is_named_socket(const char *path, struct failure *why)
{
    (void)path;
    return failed(why, 0, "no agent can be named on Windows");
}

/* Where paths lead: a letter that stands for a share is of one logon session alone. */
bool mount_namespace(char *text, size_t room)
{
    TOKEN_STATISTICS *token = token_says(GetCurrentProcess(), TokenStatistics);
    if (token == NULL)
        return false;
    int length = snprintf(text, room, "%08lx%08lx", (unsigned long)token->AuthenticationId.HighPart,
                          (unsigned long)token->AuthenticationId.LowPart);
    free(token);
    return length > 0 && (size_t)length < room;
}
