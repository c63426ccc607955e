/* The folder form, as build/carry.py has packed it. */
#include <stddef.h>

const unsigned char payload[] = {
#embed PAYLOAD
};
const size_t payload_length = sizeof payload;
