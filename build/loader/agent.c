/* Asking the agent that is there for this call, or the one that CREDLATCH_AGENT names. */
#define _GNU_SOURCE
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE */
#endif

enum { HEAD = 5, CHUNK = 65536 }; /* of an answer: that it is one, and the length of its fields */

static const int64_t MILLISECOND = 1000000;
static const int64_t PATIENCE = 500 * 1000000LL; /* without a sign of life it counts as hung, */
static const int64_t BUSY = 3000 * 1000000LL; /* and on a machine that is as busy as that, later */
/* Whatever signs of life there are: a call itself gives up after nine seconds, and Bazel kills it
   after ten. */
static const int64_t LONGEST = 9400 * 1000000LL;
static const int64_t STALE = 5000 * 1000000LL; /* an agent waits ten seconds for a request */

extern char **environ;

static bool failed(struct failure *why, int number, const char *words)
{
    *why = (struct failure){number, words};
    return false;
}

/* Whether the process that listens is neither stopped nor gone: where many call at once, it may wait
   for a processor for longer than a sign of life takes. */
static bool is_at_work(int connection)
{
#ifdef __linux__
    struct ucred peer;
    socklen_t size = sizeof peer;
    char path[40], text[512];
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0)
        return false;
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)peer.pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    if (length <= 0)
        return false;
    text[length] = '\0';
    /* Its name, in parentheses, may have any character in it (proc_pid_stat(5)). */
    const char *state = strrchr(text, ')');
    return state != NULL && state[1] == ' ' && state[2] != '\0' && strchr("RSD", state[2]) != NULL;
#else
    (void)connection;
    return false;
#endif
}

/* Wait until something can be read or written; false when the time is up. */
static bool ready(int connection, short events, int64_t deadline, struct failure *why)
{
    int64_t begin = now(), end = begin + PATIENCE;
    if (end > deadline)
        end = deadline;
    for (;;) {
        int64_t left = end - now();
        if (left <= 0 && end < deadline && end - begin < BUSY && is_at_work(connection)) {
            end = end + PATIENCE < deadline ? end + PATIENCE : deadline;
            continue;
        }
        if (left <= 0)
            return failed(why, 0, end == deadline ? "it takes too long" : "timed out");
        struct pollfd one = {.fd = connection, .events = events};
        int count = poll(&one, 1, (int)((left + MILLISECOND - 1) / MILLISECOND));
        if (count > 0)
            return true;
        if (count < 0 && errno != EINTR)
            return failed(why, errno, NULL);
    }
}

static bool listener_of(int connection, uid_t *uid)
{
#ifdef __linux__
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
        length != sizeof peer)
        return false;
    *uid = peer.uid;
    return true;
#else
    gid_t group;
    return getpeereid(connection, uid, &group) == 0;
#endif
}

/* A connection to whoever listens at a path, if that is who may; -1 otherwise. */
static int connected(const char *path, bool forwarded, struct failure *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uid_t listener;
    if (strlen(path) >= sizeof address.sun_path) {
        failed(why, 0, "AF_UNIX path too long");
        return -1;
    }
    strcpy(address.sun_path, path);
    int connection = above_streams(socket(AF_UNIX, SOCK_STREAM, 0));
    if (connection < 0) {
        failed(why, errno, NULL);
        return -1;
    }
    fcntl(connection, F_SETFD, FD_CLOEXEC);
    fcntl(connection, F_SETFL, O_NONBLOCK);
#ifdef SO_NOSIGPIPE
    setsockopt(connection, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int));
#endif
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0)
        failed(why, errno, NULL);
    else if (!listener_of(connection, &listener) ||
             (listener != getuid() && !(forwarded && may_answer(path, listener))))
        failed(why, 0, "it is another user's");
    else
        return connection;
    close(connection);
    return -1;
}

static bool sent(int connection, const struct buffer *frame, int64_t deadline,
                 struct failure *why)
{
    size_t done = 0;
    while (done < frame->length) {
        ssize_t count = send(connection, frame->at + done, frame->length - done, MSG_NOSIGNAL);
        if (count >= 0)
            done += (size_t)count;
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!ready(connection, POLLOUT, deadline, why))
                return false;
        } else if (errno != EINTR)
            return failed(why, errno, NULL);
    }
    return true;
}

/* Read what is there; false: it has gone, or gives no sign of life. */
static bool received(int connection, void *data, size_t room, size_t *count, int64_t deadline,
                     struct failure *why)
{
    for (;;) {
        if (!ready(connection, POLLIN, deadline, why))
            return false;
        ssize_t length = recv(connection, data, room, 0);
        if (length > 0) {
            *count = (size_t)length;
            return true;
        }
        if (length == 0)
            return failed(why, 0, "it has gone");
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
            return failed(why, errno, NULL);
    }
}

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
bool answered(int connection, int64_t deadline, struct answer *answer, bool *declined,
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

static bool ask_at(const char *path, bool forwarded, const struct question *question,
                   struct input *input, struct asked *asked, struct answer *answer, bool *declined)
{
    struct buffer frame = {0};
    struct failure *why = &asked->why;
    /* What standard input holds and, to our own, the whole environment go to nobody who has put a
       socket, or a link to another one, in the agent's place. */
    if (!(forwarded ? is_named_socket(path, why) : is_own_socket(path, why)))
        return false;
    int connection = connected(path, forwarded, why);
    if (connection < 0)
        return false;
    if (!question->by_words) {
        int64_t begin = now();
        if (!read_input(input) || input->taken.length > LONGEST_REQUEST) {
            *declined = true; /* what is wrong with it is said by the program */
            close(connection);
            return false;
        }
        if (now() - begin > STALE) {
            close(connection);
            connection = connected(path, forwarded, why);
            if (connection < 0)
                return false;
        }
    }
    asked->began = now();
    int64_t deadline = asked->began + LONGEST;
    if (!framed(question, input, forwarded, environ, &frame)) {
        close(connection);
        return failed(why, EMSGSIZE, NULL);
    }
    bool done = sent(connection, &frame, deadline, why) &&
                answered(connection, deadline, answer, declined, why);
    free(frame.at);
    close(connection);
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
    else if (chosen[0] == '/')
        done = ask_at(chosen, true, question, input, asked, answer, &declined);
    else
        failed(&asked->why, 0, "it is neither on, off nor an absolute path");
    asked->failed = !done && !own && !declined;
    return done;
}
