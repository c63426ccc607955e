/* Which call is a client's question: what clients.py says, by the table that is made of it. */
#include "loader.h"

#include <string.h>

struct client {
    const char *name;
    const char *called;            /* a program's name, or with a hyphen at its end how it begins */
    int stream;                    /* where failures are shown */
    const char *gets[4][4];        /* the words of each get on standard input */
    const char *verbs[8];          /* of a client that asks by its words; the first is to get */
};


#include "clients.h"

enum { CLIENTS_COUNT = sizeof CLIENTS / sizeof *CLIENTS, ALSO_COUNT = sizeof ALSO / sizeof *ALSO };

/* On Windows names have no case: PATH is searched with the endings of PATHEXT, as in "keyring.EXE". */
static bool is_same(const char *one, const char *other, size_t length)
{
#ifdef _WIN32
    for (size_t i = 0; i < length; i++)
        if ((one[i] >= 'A' && one[i] <= 'Z' ? one[i] + 'a' - 'A' : one[i]) != other[i])
            return false;
    return true;
#else
    return strncmp(one, other, length) == 0;
#endif
}

/* The last part of a path. */
static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
#ifdef _WIN32
    const char *other = strrchr(path, '\\');
    if (slash == NULL || (other != NULL && other > slash))
        slash = other;
#endif
    return slash == NULL ? path : slash + 1;
}

static bool is_called(const char *program, const char *called)
{
    size_t length = strlen(program), begin = strlen(called);
    if (length > 4 && is_same(program + length - 4, ".exe", 4))
        length -= 4;
    if (begin == 0 || length < begin || !is_same(program, called, begin))
        return false;
    return called[begin - 1] == '-' || length == begin;
}

static bool is_word(const char *word, const char *const *words, size_t room)
{
    for (size_t i = 0; i < room && words[i] != NULL; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

static bool asks_on_input(const struct client *client, const struct question *question)
{
    for (size_t get = 0; get < 4 && client->gets[get][0] != NULL; get++) {
        int same = 0;
        while (same < 4 && client->gets[get][same] != NULL && same < question->count &&
               strcmp(client->gets[get][same], question->words[same]) == 0)
            same++;
        if (same == question->count && (same == 4 || client->gets[get][same] == NULL))
            return true;
    }
    return false;
}

static bool asks_by_words(const struct client *client, const struct question *question)
{
    static const char *const HELP[] = {"-h", "--help"};
    for (int i = 0; i < question->count && strcmp(question->words[i], "--") != 0; i++)
        if (is_word(question->words[i], HELP, 2))
            return false;
    if (client->verbs[0] == NULL)
        return question->count > 0;
    for (int i = 0; i < question->count; i++)
        if (is_word(question->words[i], client->verbs, 8))
            return strcmp(question->words[i], client->verbs[0]) == 0;
    return false;
}

/* The client that calls, and its words; NULL: nobody but a person. */
static const struct client *chosen(int count, char **words, struct question *question)
{
    const char *program = name_of(count > 0 ? words[0] : "");
    question->count = count > 0 ? count - 1 : 0;
    question->words = count > 0 ? words + 1 : words;
    for (size_t i = 0; i < CLIENTS_COUNT; i++)
        if (is_called(program, CLIENTS[i].called))
            return &CLIENTS[i];
    if (question->count == 0)
        return NULL;
    if (question->count == 1 && strcmp(question->words[0], "get") == 0)
        return &BARE;
    const char *name = question->words[0];
    for (size_t i = 0; i < ALSO_COUNT; i++)
        if (strcmp(name, ALSO[i].word) == 0) {
            name = ALSO[i].name;
            break;
        }
    question->count--;
    question->words++;
    for (size_t i = 0; i < CLIENTS_COUNT; i++)
        if (strcmp(name, CLIENTS[i].name) == 0)
            return &CLIENTS[i];
    return NULL;
}

bool question_of(int count, char **words, struct question *question)
{
    const struct client *client = chosen(count, words, question);
    if (client == NULL)
        return false;
    question->protocol = client->name;
    question->by_words = client->gets[0][0] == NULL;
    return question->by_words ? asks_by_words(client, question) : asks_on_input(client, question);
}

int failure_stream(int count, char **words)
{
    struct question question;
    const struct client *client = chosen(count, words, &question);
    return client == NULL ? 2 : client->stream;
}
