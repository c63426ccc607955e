/* A request as the agent takes it: docs/agent.md, "The frames". */
#include "loader.h"

#include <string.h>

enum { HEAD = 10, MOST_VARIABLES = 4096 };

/* Begin a field whose length is known at its end. */
static size_t begin(struct buffer *frame)
{
    size_t at = frame->length;
    return add(frame, "\0\0\0\0", 4) ? at : SIZE_MAX;
}

static bool end(struct buffer *frame, size_t at)
{
    size_t length = frame->length - at - 4;
    if (length > LONGEST_FIELDS)
        return false;
    put_number((unsigned char *)frame->at + at, (uint32_t)length);
    return true;
}

static bool field(struct buffer *frame, const void *data, size_t length)
{
    size_t at = begin(frame);
    return at != SIZE_MAX && add(frame, data, length) && end(frame, at);
}

static bool request(struct buffer *frame, const struct question *question,
                    const struct input *input)
{
    if (!question->by_words)
        return field(frame, input->taken.at, input->taken.length);
    size_t at = begin(frame);
    if (at == SIZE_MAX)
        return false;
    for (int i = 0; i < question->count; i++)
        if (!(i == 0 || add(frame, "", 1)) ||
            !add(frame, question->words[i], strlen(question->words[i])))
            return false;
    return end(frame, at);
}

/* Of a name that is there twice, the first counts, as for getenv. */
static bool variables(struct buffer *frame, char **environment)
{
    size_t at = begin(frame);
    bool first = true;
    if (at == SIZE_MAX)
        return false;
    for (size_t i = 0; environment[i] != NULL; i++) {
        const char *sign = strchr(environment[i], '=');
        if (i == MOST_VARIABLES)
            return false;
        if (sign == NULL || strncmp(environment[i], "_CREDLATCH_", 11) == 0)
            continue;
        size_t name = (size_t)(sign - environment[i]) + 1, j = 0;
        while (j < i && strncmp(environment[j], environment[i], name) != 0)
            j++;
        if (j < i)
            continue;
        if (!(first || add(frame, "", 1)) ||
            !add(frame, environment[i], strlen(environment[i])))
            return false;
        first = false;
    }
    return end(frame, at);
}

/* The whole frame; false: it would not be taken, or there is no memory. */
bool framed(const struct question *question, const struct input *input, bool forwarded,
            char **environment, struct buffer *frame)
{
    char head[HEAD] = {'C', 'R', 'E', 'D', 1, forwarded ? 'F' : 'G'};
    char folder[LONGEST_PATH], mounts[128];
    if (!add(frame, head, HEAD) || !field(frame, question->protocol, strlen(question->protocol)))
        return false;
    if (!forwarded) {
        if (!working_folder(folder, sizeof folder) || !mount_namespace(mounts, sizeof mounts) ||
            !field(frame, folder, strlen(folder)) || !field(frame, mounts, strlen(mounts)))
            return false;
    }
    if (!request(frame, question, input) || (!forwarded && !variables(frame, environment)))
        return false;
    if (frame->length - HEAD > LONGEST_FIELDS)
        return false;
    put_number((unsigned char *)frame->at + HEAD - 4, (uint32_t)(frame->length - HEAD));
    return true;
}
