/* What the parts of the launcher share; build/README.md says what it does. */
#ifndef LOADER_H
#define LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#ifdef _WIN32
#include <wchar.h>
#endif

/* Beside a launcher: the program, which PyInstaller has built. */
#ifdef _WIN32
#define SEPARATOR '\\'
#define PROGRAM "_internal\\credlatch-program.exe"
#define CACHE "LOCALAPPDATA" /* the variable that names the folder for what may be lost */
#define FORWARDS 0           /* whether CREDLATCH_AGENT may name an agent */
#else
#define SEPARATOR '/'
#define PROGRAM "_internal/credlatch-program"
#define CACHE "XDG_CACHE_HOME"
#define FORWARDS 1
#endif

/* The variable by which the program knows what has become of asking (agent/asked.py). */
#define ASKED "_CREDLATCH_ASKED"

enum {
    LONGEST_PATH = 4096,           /* bytes */
    LONGEST_REQUEST = 1024 * 1024, /* bytes of standard input: streams.py */
    LONGEST_FIELDS = 4 * 1024 * 1024, /* bytes of all fields of a frame: agent/wire.py */
};

/* Why something has not been done: the system's number, or our own words. */
struct failure {
    int number;
    const char *words;
};

/* Without a sign of life for so many nanoseconds an agent counts as hung; on a machine that is busy,
   later. */
#define PATIENCE INT64_C(500000000)
#define BUSY INT64_C(3000000000)

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
    bool lost; /* the rest cannot be read, or kept; and nobody else can begin anew: */
    struct failure why;
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
bool failed(struct failure *why, int number, const char *words);
const char *text_of(struct failure why);
void say(int stream, const char *text);

/* system_*.c */
int64_t now(void);
char **caller_variables(void);
const char *system_words(int number);
int last_failure(void);
bool reader_is_gone(int number);
void ignore_broken_pipes(void);
bool working_folder(char *path, size_t room);
bool write_all(int descriptor, const char *data, size_t length, size_t *written);
#ifdef _WIN32
bool wide(const char *text, wchar_t *out, size_t room);
char *narrow(const wchar_t *text);
#else
int above_streams(int descriptor);
#endif

/* clients.c */
bool question_of(int count, char **words, struct question *question);
int failure_stream(int count, char **words);

/* place_*.c: where an agent is that may be asked, and whether it may */
bool own_socket(char *path, size_t room);
bool is_own_socket(const char *path, struct failure *why);
bool is_named_socket(const char *path, struct failure *why);
bool mount_namespace(char *text, size_t room);
#ifndef _WIN32
bool may_answer(const char *path, uid_t listener);
bool trusted(uid_t owner);
#endif

/* connection_*.c: to the agent; -1 is none. Waiting ends at the deadline, and without any sign of
   life before. */
intptr_t connected(const char *path, bool forwarded, struct failure *why);
bool sent_all(intptr_t connection, const struct buffer *frame, int64_t deadline, struct failure *why);
bool received(intptr_t connection, void *data, size_t room, size_t *count, int64_t deadline,
              struct failure *why);
void disconnect(intptr_t connection);

/* agent.c */
bool ask(const struct question *question, struct input *input, struct asked *asked,
         struct answer *answer);
bool answered(intptr_t connection, int64_t deadline, struct answer *answer, bool *declined,
              struct failure *why);
char *told(const struct asked *asked);

/* frame.c */
bool framed(const struct question *question, const struct input *input, bool forwarded,
            char **environment, struct buffer *frame);

/* input.c */
bool read_input(struct input *input);

/* streams_*.c */
ssize_t some_input(char **chunk);
bool hand_on(struct input *input);

/* main.c, main_*.c */
int launch(int count, char **words);
bool input_is_a_folder(void);

/* program_*.c: a folder is held by a number; -1 is none */
bool own_path(char *path, size_t room);
intptr_t hold(const char *folder, struct failure *why);
void release(intptr_t held);
int become(const char *folder, intptr_t held, char **words, const struct asked *asked);

/* folder.c, single.c */
_Noreturn void go_on(int count, char **words, const struct asked *asked);

#endif
