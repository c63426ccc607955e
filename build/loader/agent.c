/* Asking the agent that is there for this call, or the one that CREDLATCH_AGENT names. */
#define _GNU_SOURCE
#include "loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 5, CHUNK = 65536 }; /* of an answer: that it is one, and the length of its fields */

/* Whatever signs of life there are: a call itself gives up after nine seconds, and Bazel kills it
   after ten. */
static const int64_t LONGEST = 9400 * 1000000LL;
static const int64_t MORE = 400 * 1000000LL; /* than a call itself takes */
static const int64_t STALE = 5000 * 1000000LL; /* an agent waits ten seconds for a request */

/* The three fields of an answer: exit status, standard output, standard error. */
static bool understood(const unsigned char *fields, size_t length, struct answer *answer)
{
    const unsigned char *field[3];
    size_t lengths[3], at = 0;
    for (int i = 0; i < 3; i++) {
        if (length - at < 4)
            return false;
        lengths[i] = number_at(fields + at);
        at += 4;
        if (lengths[i] > length - at)
            return false;
        field[i] = fields + at;
        at += lengths[i];
    }
    if (at != length || lengths[0] != 1)
        return false;
    answer->status = field[0][0];
    answer->out = (const char *)field[1];
    answer->out_length = lengths[1];
    answer->err = (const char *)field[2];
    answer->err_length = lengths[2];
    return true;
}

/* Make room for the fields that a head announces. */
static bool announced(const unsigned char *head, size_t *length, struct answer *answer,
                      struct failure *why)
{
    *length = number_at(head + 1);
    if (*length > LONGEST_FIELDS)
        return failed(why, 0, "it is no agent");
    answer->fields = malloc(*length + 1);
    return answer->fields != NULL || failed(why, ENOMEM, NULL);
}

/* The answer; false with `declined` when the agent leaves the call to us. */
bool answered(intptr_t connection, int64_t deadline, struct answer *answer, bool *declined,
              struct failure *why)
{
    static unsigned char chunk[CHUNK];
    unsigned char head[HEAD];
    size_t have = 0, length = 0; /* of head and fields together; of the fields */
    answer->fields = NULL;
    do {
        size_t count, at = 0;
        if (!received(connection, chunk, sizeof chunk, &count, deadline, why))
            return false;
        while (have == 0 && at < count && chunk[at] == '.')
            at++;
        while (have < HEAD && at < count)
            head[have++] = chunk[at++];
        if (have > 0 && head[0] == '-') {
            *declined = true;
            return false;
        }
        if (have > 0 && head[0] != '=')
            return failed(why, 0, "it is no agent");
        if (have < HEAD)
            continue;
        if (answer->fields == NULL && !announced(head, &length, answer, why))
            return false;
        size_t more = count - at, left = length - (have - HEAD);
        if (more > left)
            more = left; /* what follows is no part of it */
        memcpy(answer->fields + (have - HEAD), chunk + at, more);
        have += more;
    } while (have < HEAD || have - HEAD < length);
    return understood(answer->fields, length, answer) || failed(why, 0, "it is no agent");
}

/* For how long an answer is waited for: longer where the caller has told its client so (caller.py).
   Hundreds who wait for one renewal would all go on by themselves, each with a whole Python. */
static int64_t longest(void)
{
    const char *said = getenv("CREDLATCH_TIMEOUT");
    double seconds = said == NULL ? 0 : strtod(said, NULL);
    int64_t wanted = seconds > 0 && seconds <= 600 ? (int64_t)(seconds * 1e9) + MORE : 0;
    return wanted > LONGEST ? wanted : LONGEST;
}

static bool ask_at(const char *path, bool forwarded, const struct question *question,
                   struct input *input, struct asked *asked, struct answer *answer, bool *declined)
{
    struct buffer frame = {0};
    struct failure *why = &asked->why;
    /* What standard input holds and, to our own, the whole environment go to nobody who has put a
       socket, or a link to another one, in the agent's place. */
    if (!(forwarded ? is_named_socket(path, why) : is_own_socket(path, why)))
        return false;
    intptr_t connection = connected(path, forwarded, why);
    if (connection < 0)
        return false;
    if (!question->by_words) {
        int64_t begin = now();
        if (!read_input(input) || input->taken.length > LONGEST_REQUEST) {
            *declined = true; /* what is wrong with it is said by the program */
            disconnect(connection);
            return false;
        }
        if (now() - begin > STALE) {
            disconnect(connection);
            connection = connected(path, forwarded, why);
            if (connection < 0)
                return false;
        }
    }
    asked->began = now();
    int64_t deadline = asked->began + longest();
    if (!framed(question, input, forwarded, caller_variables(), &frame)) {
        disconnect(connection);
        return failed(why, EMSGSIZE, NULL);
    }
    bool done = sent_all(connection, &frame, deadline, why) &&
                answered(connection, deadline, answer, declined, why);
    free(frame.at);
    disconnect(connection);
    return done;
}

/* Whether there is an answer; if not, `asked` says what the program has to know. */
bool ask(const struct question *question, struct input *input, struct asked *asked,
         struct answer *answer)
{
    char path[LONGEST_PATH];
    const char *chosen = getenv("CREDLATCH_AGENT");
    bool own = chosen == NULL || chosen[0] == '\0' || strcmp(chosen, "on") == 0;
    bool declined = false, done = false;
    if (!own && strcmp(chosen, "off") == 0)
        return false;
    if (own)
        done = own_socket(path, sizeof path) &&
               ask_at(path, false, question, input, asked, answer, &declined);
    else if (FORWARDS && chosen[0] == '/')
        done = ask_at(chosen, true, question, input, asked, answer, &declined);
    else
        failed(&asked->why, 0,
               FORWARDS ? "it is neither on, off nor an absolute path" : "on Windows it is on or off");
    asked->failed = !done && !own && !declined;
    return done;
}

/* By what the program knows what has become of asking (agent/asked.py): a variable, and its value. */
char *told(const struct asked *asked)
{
    static char text[200];
    char number[16];
    const char *why = "";
    if (asked->failed) {
        snprintf(number, sizeof number, "%d", asked->why.number);
        why = asked->why.words != NULL ? asked->why.words : number;
    }
    snprintf(text, sizeof text, ASKED "=%lld.%09lld %s", (long long)(asked->began / 1000000000),
             (long long)(asked->began % 1000000000), why);
    return text;
}
