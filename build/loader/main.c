/* The launcher: a client's question is answered by the agent, and all else by the program. */
#define _GNU_SOURCE
#include "loader.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A variable by which the program, when it is greeted by cargo or told a login by git, has us ask
   the agent and do nothing else (agent/asking.py). */
#define ONLY_ASK "_CREDLATCH_ONLY_ASK"
enum { NO_ANSWER = 75 }; /* then */

/* Have a crash write no secret to a file, nor hand it to a program that collects cores.

   To Linux a limit of 0 means no file alone; 1 means no program either (do_coredump in
   fs/coredump.c), and is too small for a file. Where the hard limit is 0, it stays 0. */
static void forbid_cores(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) != 0)
        return;
#ifdef __linux__
    limit.rlim_cur = limit.rlim_max == 0 ? 0 : 1;
#else
    limit.rlim_cur = 0;
#endif
    setrlimit(RLIMIT_CORE, &limit);
}

/* End with the agent's answer. */
static _Noreturn void give(const struct answer *answer)
{
    char text[200];
    size_t written;
    signal(SIGPIPE, SIG_IGN);
    write_all(2, answer->err, answer->err_length, &written); /* the answer counts */
    /* A reader who has gone needs no answer. */
    if (write_all(1, answer->out, answer->out_length, &written) || errno == EPIPE)
        _exit(answer->status);
    snprintf(text, sizeof text, "standard output cannot be written: %s", strerror(errno));
    say(2, text);
    _exit(1);
}

/* Whether standard input is a folder: Python would not even start. */
static bool input_is_a_folder(void)
{
    struct stat status;
    return fstat(0, &status) == 0 && S_ISDIR(status.st_mode);
}

int main(int count, char **words)
{
    struct question question;
    struct input input = {0};
    struct asked asked = {0};
    struct answer answer;
    forbid_cores();
    if (question_of(count, words, &question)) {
        if (ask(&question, &input, &asked, &answer))
            give(&answer);
        if (getenv(ONLY_ASK) != NULL) {
            if (asked.failed)
                fprintf(stderr, "%s", asked.why.words ? asked.why.words : strerror(asked.why.number));
            return NO_ANSWER;
        }
        if (!hand_on(&input)) {
            say(2, "what was read of standard input cannot be handed on");
            return 1;
        }
    }
    if (input_is_a_folder()) {
        say(failure_stream(count, words), "standard input is a folder: no request can be read from it");
        return 1;
    }
    go_on(count, words, &asked);
}
