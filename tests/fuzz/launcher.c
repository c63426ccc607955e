/* Feeds the launcher (build/loader) with what an agent, a caller's environment and its words may be.

   usage: launcher CASES SEED    made-up cases; any fault ends it (ASan, UBSan, or an abort here)
          launcher words         a line for each line of standard input, whose words tabs separate:
                                 the protocol of the question and "words" or "input"; "-": none
          launcher socket        the path of the caller's own agent
          launcher namespace     where its paths lead
          launcher own|named PATH
          launcher believes PATH UID
                                 what place_posix.c says: exit status 0 or 1

   Linked with --wrap for recv and poll: what an agent sends comes from here. */
#define _GNU_SOURCE
#include "loader.h"
#include "single.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum { ROOM = 200000 };

static uint64_t state;
static int nothing; /* where lines for people go */
static unsigned char sent[ROOM];
static size_t sent_length, sent_at;

static uint64_t random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t below(size_t most) { return (size_t)(random_number() % most); }

static void see(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fault: %s\n", what);
        abort();
    }
}

int __wrap_poll(struct pollfd *all, nfds_t count, int timeout)
{
    (void)timeout;
    see(count == 1, "one descriptor is waited for");
    all->revents = all->events;
    return 1;
}

ssize_t __wrap_recv(int connection, void *data, size_t room, int flags)
{
    (void)connection;
    (void)flags;
    if (below(50) == 0) {
        errno = below(2) ? EINTR : EAGAIN;
        return -1;
    }
    size_t left = sent_length - sent_at;
    size_t most = below(4) ? 1 + below(9) : room;
    size_t count = left < most ? left : most;
    if (count > room)
        count = room;
    memcpy(data, sent + sent_at, count);
    sent_at += count;
    return (ssize_t)count;
}

static void say_byte(unsigned char byte)
{
    if (sent_length < ROOM)
        sent[sent_length++] = byte;
}

static void say_number(uint32_t number)
{
    unsigned char bytes[4];
    put_number(bytes, number);
    for (int i = 0; i < 4; i++)
        say_byte(bytes[i]);
}

static size_t size(void)
{
    static const size_t SIZES[] = {0, 1, 2, 5, 40, 300};
    return below(2000) == 0 ? 70000 + below(9) : SIZES[below(6)] + below(3);
}

/* A right answer, as an agent gives it; then, mostly, a wrong one of it. */
static void an_answer(void)
{
    size_t out = size(), err = size();
    int status = (int)below(256);
    sent_length = sent_at = 0;
    for (size_t pulses = below(4); pulses > 0; pulses--)
        say_byte('.');
    size_t begin = sent_length;
    say_byte('=');
    say_number((uint32_t)(13 + out + err));
    say_number(1);
    say_byte((unsigned char)status);
    say_number((uint32_t)out);
    for (size_t i = 0; i < out; i++)
        say_byte((unsigned char)i);
    say_number((uint32_t)err);
    for (size_t i = 0; i < err; i++)
        say_byte((unsigned char)(i + 1));
    size_t whole = sent_length;
    bool right = below(4) == 0;
    if (!right) {
        static const unsigned char ODD[] = {0, 1, 0x7f, 0x80, 0xff, '.', '-', '='};
        for (size_t changes = 1 + below(3); changes > 0; changes--)
            sent[below(2) ? below(whole) : begin + below(18)] =
                below(2) ? ODD[below(8)] : (unsigned char)random_number();
        if (below(3) == 0)
            sent_length = below(whole + 1);
    }
    for (size_t more = below(3) ? 0 : below(9); more > 0 && sent_length == whole; more--)
        say_byte((unsigned char)random_number());

    struct answer answer;
    struct failure why = {0};
    bool declined = false;
    bool done = answered(-1, now() + 60000000000, &answer, &declined, &why);
    if (done) {
        unsigned sum = 0;
        for (size_t i = 0; i < answer.out_length; i++)
            sum += (unsigned char)answer.out[i];
        for (size_t i = 0; i < answer.err_length; i++)
            sum += (unsigned char)answer.err[i];
        *(volatile unsigned *)&sum = sum;
    } else {
        see(declined || why.words != NULL || why.number != 0, "a failure has a reason");
    }
    if (right) {
        see(done && answer.status == status, "a right answer is understood");
        see(answer.out_length == out && answer.err_length == err, "with its lengths");
        for (size_t i = 0; i < out; i++)
            see((unsigned char)answer.out[i] == (unsigned char)i, "with its output");
    }
    free(answer.fields);
}

static void a_text(char *text, size_t room)
{
    static const char *const PARTS[] = {
        "/", "/tmp", "a", "..", "=", " ", "\t", "\n", "\xc2\x85", "\xff", "HOME", "é", "%s", "%n"};
    size_t length = 0;
    text[0] = '\0';
    for (size_t parts = below(8); parts > 0; parts--) {
        const char *part = PARTS[below(14)];
        size_t times = below(300) == 0 ? 3000 : 1;
        while (times-- > 0 && length + strlen(part) < room) {
            strcpy(text + length, part);
            length += strlen(part);
        }
    }
}

static void an_environment(void)
{
    static const char *const NAMES[] = {
        "HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME", "TMPDIR", "CREDLATCH_AGENT", "_CREDLATCH_X",
        "", "A"};
    static char texts[12][9000];
    static struct place all[MOST_PLACES];
    char *variables[13], **before = environ, path[LONGEST_PATH];
    size_t count = below(12);
    for (size_t i = 0; i < count; i++) {
        size_t length = 0;
        if (below(9)) {
            strcpy(texts[i], NAMES[below(8)]);
            strcat(texts[i], "=");
            length = strlen(texts[i]);
        }
        a_text(texts[i] + length, sizeof texts[i] - length);
        variables[i] = texts[i];
    }
    variables[count] = NULL;
    environ = variables;
    struct question question = {.protocol = "git", .by_words = below(2), .count = (int)count};
    question.words = variables;
    struct input input = {.taken = {.at = texts[0], .length = below(sizeof texts[0])}};
    struct buffer frame = {0};
    if (framed(&question, &input, below(2), environ, &frame)) {
        const unsigned char *bytes = (unsigned char *)frame.at;
        size_t at = 10, fields = 0;
        see(number_at(bytes + 6) == frame.length - 10, "a frame tells its length");
        for (; at < frame.length; fields++)
            at += 4 + number_at(bytes + at);
        see(at == frame.length && fields == (bytes[5] == 'F' ? 2 : 5), "and its fields");
    }
    free(frame.at);
    if (own_socket(path, sizeof path))
        see(strlen(path) < 100 && path[0] == '/', "a socket's path is short");
    int places_count = places(all);
    see(places_count >= 1 && places_count <= MOST_PLACES, "there are places");
    for (int i = 0; i < places_count; i++)
        see(all[i].base[0] == '/', "all absolute");
    struct failure why = {.words = texts[below(12)]};
    see(strlen(text_of(why)) < LONGEST_PATH + 200, "a reason is short");
    see(!is_own_socket(texts[0], &why) || texts[0][0], "nothing is no socket");
    say(nothing, texts[below(12)]);
    environ = before;
}

static void some_words(void)
{
    static char *WORDS[] = {
        "", "get", "git", "docker", "bazel", "keyring", "header", "token", "goauth", "cargo", "--",
        "-h", "--help", "set", "del", "--read-only", "--cargo-plugin", "https://a", "store",
        "/bin/docker-credential-x", "git-credential-x.exe", "keyring.exe", "keyring", ".exe", "/"};
    char *words[9];
    int count = (int)below(8);
    struct question question = {0};
    for (int i = 0; i < count; i++)
        words[i] = WORDS[below(sizeof WORDS / sizeof *WORDS)];
    words[count] = NULL;
    if (question_of(count, words, &question))
        see(question.count >= 0 && question.count < count + 1, "its words are of those");
    int stream = failure_stream(count, words);
    see(stream == 1 || stream == 2, "a stream is one");
}

static int questions(void)
{
    static char line[100000];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *words[64], *rest = line;
        int count = 0;
        struct question question;
        line[strcspn(line, "\n")] = '\0';
        for (char *word = strsep(&rest, "\t"); word != NULL && count < 63;
             word = strsep(&rest, "\t"))
            words[count++] = word;
        words[count] = NULL;
        if (question_of(count, words, &question))
            printf("%s %s %d\n", question.protocol, question.by_words ? "words" : "input",
                   question.count);
        else
            puts("-");
    }
    return 0;
}

/* What place_posix.c says; -1: it is not asked. */
static int place(int count, char **words)
{
    char text[LONGEST_PATH];
    struct failure why;
    if (count == 2 && strcmp(words[1], "socket") == 0)
        return own_socket(text, sizeof text) && puts(text) >= 0 ? 0 : 1;
    if (count == 2 && strcmp(words[1], "namespace") == 0)
        return mount_namespace(text, sizeof text) && puts(text) >= 0 ? 0 : 1;
    if (count == 3 && strcmp(words[1], "own") == 0)
        return !is_own_socket(words[2], &why);
    if (count == 3 && strcmp(words[1], "named") == 0)
        return !is_named_socket(words[2], &why);
    if (count == 4 && strcmp(words[1], "believes") == 0)
        return !may_answer(words[2], (uid_t)strtoul(words[3], NULL, 10));
    return -1;
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "words") == 0)
        return questions();
    int said = place(count, words);
    if (said >= 0)
        return said;
    if (count != 3)
        return 2;
    unsigned long cases = strtoul(words[1], NULL, 10);
    state = strtoul(words[2], NULL, 10) * 2654435761u + 1;
    nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (unsigned long i = 0; i < cases; i++) {
        if (i % 4 == 0)
            an_environment();
        else if (i % 4 == 1)
            some_words();
        else
            an_answer();
    }
    printf("%lu cases\n", cases);
    return 0;
}
