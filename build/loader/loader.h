/* What the parts of the launcher share; build/README.md says what it does. */
#ifndef LOADER_H
#define LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Beside a launcher: the program, which PyInstaller has built. */
#define PROGRAM "_internal/credlatch-program"

enum {
    LONGEST_PATH = 4096,           /* bytes */
    LONGEST_REQUEST = 1024 * 1024, /* bytes of standard input: commands/streams.py */
    LONGEST_FIELDS = 4 * 1024 * 1024, /* bytes of all fields of a frame: agent/wire.py */
};

/* Why something has not been done: the system's number, or our own words. */
struct failure {
    int number;
    const char *words;
};

/* Bytes that become more. */
struct buffer {
    char *at;
    size_t length, room;
};

/* A client's question: a row of helper/credlatch/clients.py, and the words that follow. */
struct question {
    const char *protocol;
    bool by_words;
    int count;
    char **words;
};

/* What has been read of standard input. */
struct input {
    struct buffer taken;
    bool ended;
};

/* What the program is told of the agent. */
struct asked {
    int64_t began; /* nanoseconds, on the clock of now(); 0: nobody was asked */
    bool failed;   /* one that CREDLATCH_AGENT names, by that: */
    struct failure why;
};

/* An agent's answer. */
struct answer {
    int status;
    const char *out, *err;
    size_t out_length, err_length;
    unsigned char *fields; /* where all of it is */
};

/* bytes.c */
bool add(struct buffer *buffer, const void *data, size_t length);
uint32_t number_at(const unsigned char *data);
void put_number(unsigned char *data, uint32_t number);
int64_t now(void);
bool write_all(int descriptor, const char *data, size_t length, size_t *written);
int above_streams(int descriptor);
const char *text_of(struct failure why);
void say(int stream, const char *text);

/* clients.c */
bool question_of(int count, char **words, struct question *question);
int failure_stream(int count, char **words);

/* place.c */
bool own_socket(char *path, size_t room);
bool is_own_socket(const char *path, struct failure *why);
bool is_named_socket(const char *path, struct failure *why);
bool may_answer(const char *path, uid_t listener);
bool mount_namespace(char *text, size_t room);
bool trusted(uid_t owner);

/* agent.c */
bool ask(const struct question *question, struct input *input, struct asked *asked,
         struct answer *answer);
bool answered(int connection, int64_t deadline, struct answer *answer, bool *declined,
              struct failure *why);

/* frame.c */
bool framed(const struct question *question, const struct input *input, bool forwarded,
            char **environment, struct buffer *frame);

/* input.c */
bool read_input(struct input *input);
bool hand_on(struct input *input);

/* program.c */
bool own_path(char *path, size_t room);
int hold(const char *folder, int operation, struct failure *why);
int become(const char *folder, char **words, const struct asked *asked);
_Noreturn void go_on(int count, char **words, const struct asked *asked);

#endif
