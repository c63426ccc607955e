/* Bytes, and lines for people. */
#include "loader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_LINE = 6000 }; /* bytes: a client may not read more than a pipe holds */

bool add(struct buffer *buffer, const void *data, size_t length)
{
    if (length > SIZE_MAX / 4 - buffer->length)
        return false;
    if (buffer->length + length > buffer->room) {
        size_t room = (buffer->length + length) * 2;
        char *at = realloc(buffer->at, room);
        if (at == NULL)
            return false;
        buffer->at = at;
        buffer->room = room;
    }
    if (length != 0)
        memcpy(buffer->at + buffer->length, data, length);
    buffer->length += length;
    return true;
}

/* The frames' numbers are big-endian. */
uint32_t number_at(const unsigned char *data)
{
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

void put_number(unsigned char *data, uint32_t number)
{
    data[0] = (unsigned char)(number >> 24);
    data[1] = (unsigned char)(number >> 16);
    data[2] = (unsigned char)(number >> 8);
    data[3] = (unsigned char)number;
}

bool failed(struct failure *why, int number, const char *words)
{
    *why = (struct failure){number, words};
    return false;
}

/* As system/files.py has it: the system's words, without a capital; but musl says "I/O error". */
const char *text_of(struct failure why)
{
    static char text[LONGEST_PATH + 200];
    snprintf(text, sizeof text, "%s", why.words != NULL ? why.words : system_words(why.number));
    if (islower((unsigned char)text[1]))
        text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

/* One line that says who speaks; on standard error if the stream does not take it. */
void say(int stream, const char *text)
{
    static char line[LONGEST_LINE];
    int length = snprintf(line, sizeof line - 1, "credlatch: %s", text);
    if (length < 0)
        return;
    size_t end = (size_t)length < sizeof line - 2 ? (size_t)length : sizeof line - 2;
    for (size_t i = 0; i < end; i++) {
        unsigned char byte = (unsigned char)line[i];
        bool second = i > 0 && (unsigned char)line[i - 1] == 0xc2 && byte >= 0x80 && byte < 0xa0;
        if (second)
            line[i - 1] = ' ';
        if (byte < ' ' || byte == 0x7f || second)
            line[i] = ' '; /* a terminal would obey it */
    }
    line[end] = '\n';
    size_t written;
    ignore_broken_pipes(); /* who says a line says nothing after it */
    if (!write_all(stream, line, end + 1, &written) && stream != 2)
        write_all(2, line, end + 1, &written);
}
