/* The launcher: a client's question is answered by the agent, and all else by the program. */
#include "loader.h"

#include <stdio.h>
#include <stdlib.h>

/* A variable by which the program, when it is greeted by cargo or told a login by git, has us ask
   the agent and do nothing else (agent/asking.py). */
#define ONLY_ASK "_CREDLATCH_ONLY_ASK"
enum { NO_ANSWER = 75 }; /* then */

/* End with the agent's answer. */
static _Noreturn void give(const struct answer *answer)
{
    char text[200];
    size_t written;
    ignore_broken_pipes();
    write_all(2, answer->err, answer->err_length, &written); /* the answer counts */
    /* A reader who has gone needs no answer. */
    if (write_all(1, answer->out, answer->out_length, &written) || reader_is_gone(last_failure()))
        _Exit(answer->status);
    snprintf(text, sizeof text, "standard output cannot be written: %s",
             system_words(last_failure()));
    say(2, text);
    _Exit(1);
}

int launch(int count, char **words)
{
    char text[LONGEST_PATH];
    struct question question;
    struct input input = {0};
    struct asked asked = {0};
    struct answer answer;
    if (question_of(count, words, &question)) {
        if (ask(&question, &input, &asked, &answer))
            give(&answer);
        if (getenv(ONLY_ASK) != NULL) {
            if (asked.failed)
                fprintf(stderr, "%s", asked.why.words ? asked.why.words : system_words(asked.why.number));
            return NO_ANSWER;
        }
        if (input.lost) {
            snprintf(text, sizeof text, "standard input cannot be read: %s", text_of(input.why));
            say(failure_stream(count, words), text);
            return 1;
        }
        if (!hand_on(&input)) {
            say(failure_stream(count, words), "what was read of standard input cannot be handed on");
            return 1;
        }
    }
    if (input_is_a_folder()) {
        say(failure_stream(count, words), "standard input is a folder: no request can be read from it");
        return 1;
    }
    go_on(count, words, &asked);
}
