/* A connection to the agent: a socket, of which every other system has the same kind. */
#define _GNU_SOURCE
#include "loader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE */
#endif

static const int64_t MILLISECOND = 1000000;

/* Whether the process that listens is neither stopped nor gone: where many call at once, it may wait
   for a processor for longer than a sign of life takes. */
static bool is_at_work(intptr_t connection)
{
#ifdef __linux__
    struct ucred peer;
    socklen_t size = sizeof peer;
    char path[40], text[512];
    if (getsockopt((int)connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0)
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
static bool ready(intptr_t connection, short events, int64_t deadline, struct failure *why)
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
        struct pollfd one = {.fd = (int)connection, .events = events};
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
    if (getsockopt((int)connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
        length != sizeof peer)
        return false;
    *uid = peer.uid;
    return true;
#else
    gid_t group;
    return getpeereid((int)connection, uid, &group) == 0;
#endif
}

intptr_t connected(const char *path, bool forwarded, struct failure *why)
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

bool sent_all(intptr_t connection, const struct buffer *frame, int64_t deadline,
          struct failure *why)
{
    size_t done = 0;
    while (done < frame->length) {
        ssize_t count = send((int)connection, frame->at + done, frame->length - done, MSG_NOSIGNAL);
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

bool received(intptr_t connection, void *data, size_t room, size_t *count, int64_t deadline,
              struct failure *why)
{
    for (;;) {
        if (!ready(connection, POLLIN, deadline, why))
            return false;
        ssize_t length = recv((int)connection, data, room, 0);
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

void disconnect(intptr_t connection)
{
    close((int)connection);
}
