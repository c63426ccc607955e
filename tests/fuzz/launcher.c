/* Feeds the launcher (build/loader) with what an agent, a caller's environment, its words and what
   the single file carries may be.

   usage: launcher CASES SEED    made-up cases; any fault ends it (ASan, UBSan, or an abort here)
          launcher words         a line for each line of standard input, whose words tabs separate:
                                 the protocol of the question and "words" or "input"; "-": none
          launcher socket        the path of the caller's own agent
          launcher namespace     where its paths lead
          launcher own|named PATH
          launcher believes PATH UID
                                 what place_posix.c says: exit status 0 or 1

   Linked with --wrap for recv and poll: what an agent sends comes from here. So do the payload, which
   nothing has packed, and the files that it becomes. */
#define _GNU_SOURCE
#include "loader.h"
#include "single.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sanitizer/asan_interface.h>
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

/* The payload: contents.c has it for constant, as it is elsewhere. */
enum { MOST_CARRIED = 8000, MOST_FILES = 6 };
unsigned char payload[MOST_CARRIED];
size_t payload_length;

static size_t inflated_at;
static size_t made_count;
static struct {
    char path[LONGEST_NAME];
    struct file_status status;
    bool program;
} made[MOST_CARRIED];

uint32_t checksum(const unsigned char *data, size_t length)
{
    uint32_t sum = 0xffffffff;
    for (size_t i = 0; i < length; i++) {
        sum ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
    }
    return ~sum;
}

void inflate_begin(const unsigned char *data, size_t length)
{
    see(data + length == payload + payload_length, "what is packed goes to the payload's end");
    inflated_at = (size_t)(data - payload);
}

bool inflate_next(unsigned char *out, size_t length)
{
    if (payload_length - inflated_at < length)
        return false;
    memcpy(out, payload + inflated_at, length);
    inflated_at += length;
    return true;
}

bool inflate_end(void) { return inflated_at == payload_length; }

bool status_of(const struct unpacking *folder, const char *path, struct file_status *found)
{
    (void)folder;
    for (size_t i = made_count; i > 0; i--) {
        if (strcmp(made[i - 1].path, path) == 0) {
            *found = made[i - 1].status;
            return true;
        }
    }
    return false;
}

intptr_t create(const struct unpacking *folder, const char *path, bool program,
                struct failure *why)
{
    (void)folder;
    (void)why;
    see(made_count < MOST_CARRIED && strlen(path) < LONGEST_NAME, "a file has a name that fits");
    strcpy(made[made_count].path, path);
    made[made_count].program = program;
    made[made_count].status = (struct file_status){0};
    return (intptr_t)made_count++;
}

bool append(intptr_t opened, const void *data, size_t length, struct failure *why)
{
    (void)why;
    see(memcmp(data, payload + inflated_at - length, length) == 0, "a file has what was packed");
    made[opened].status.size += (int64_t)length;
    return true;
}

bool finish(const struct unpacking *folder, const char *path, intptr_t opened, int64_t when,
            bool done, struct failure *why)
{
    (void)folder;
    (void)why;
    see(strcmp(made[opened].path, path) == 0, "a file is ended by its name");
    made[opened].status.when = when;
    return done;
}

static void carry_number(uint32_t number)
{
    put_number(payload + payload_length, number);
    payload_length += 4;
}

/* A right payload; then, mostly, a wrong one, of which the sum is right or is not. */
static void a_payload(void)
{
    static const char *const NAMES[] = {"credlatch", "_internal/a", "_internal/b/c", "d", ""};
    uint32_t sizes[MOST_FILES], count = (uint32_t)below(MOST_FILES), kept = 0;
    bool right = below(3) == 0;
    __asan_unpoison_memory_region(payload, sizeof payload);
    payload_length = made_count = 0;
    carry_number(0);
    carry_number(count);
    for (uint32_t i = 0; i < count; i++) {
        /* Names are not twice in a right one; a long one is at the end of what fits, or longer. */
        size_t length = strlen(NAMES[i % 5]), longer = below(20) ? 0 : 1000 + below(40);
        sizes[i] = (uint32_t)below(200);
        carry_number(sizes[i]);
        payload[payload_length++] = (unsigned char)below(2);
        if (longer)
            length = longer < LONGEST_NAME || !right ? longer : LONGEST_NAME - 1;
        payload[payload_length++] = (unsigned char)(length >> 8);
        payload[payload_length++] = (unsigned char)length;
        memset(payload + payload_length, (int)('a' + i), length);
        if (!longer)
            memcpy(payload + payload_length, NAMES[i % 5], length);
        payload_length += length;
        kept += sizes[i];
    }
    size_t table = payload_length;
    for (uint32_t i = 0; i < kept && payload_length < sizeof payload; i++)
        payload[payload_length++] = (unsigned char)random_number();
    if (!right) {
        for (size_t changes = below(4); changes > 0; changes--)
            payload[4 + below(table - 4)] = below(2) ? 0xff : (unsigned char)random_number();
        if (below(2))
            payload_length = below(payload_length + 1);
    }
    if (payload_length >= 8 && (right || below(3)))
        put_number(payload, checksum(payload + 4, payload_length - 4));
    __asan_poison_memory_region(payload + payload_length, sizeof payload - payload_length);

    struct failure why = {0};
    struct unpacking folder = {0};
    see(!whole(&folder), "nothing is whole before it is unpacked");
    finish(&folder, "unpacked", create(&folder, "unpacked", false, &why), 0, true, &why);
    see(!whole(&folder) || count == 0 || !right, "with nothing but the mark it is not whole");
    made_count = 0;
    bool done = unpack(&folder, &why), holds = payload_length >= 8;
    if (holds)
        holds = number_at(payload) == checksum(payload + 4, payload_length - 4);
    see(!done || holds, "what is damaged is not unpacked");
    see(done || why.words != NULL, "damage is told");
    see(done || !right, "a right payload is unpacked");
    see(!right || whole(&folder), "what is unpacked is whole");
    if (right) {
        see(made_count == count + 1, "each file, and the mark of all");
        for (uint32_t i = 0; i < count; i++)
            see(made[i].status.size == (int64_t)sizes[i], "with its size");
        made[made_count - 1].path[0] = '?';
        see(!whole(&folder), "without the mark it is not whole");
    }
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
        if (i % 5 == 0)
            an_environment();
        else if (i % 5 == 1)
            some_words();
        else if (i % 5 == 2)
            a_payload();
        else
            an_answer();
    }
    printf("%lu cases\n", cases);
    return 0;
}
