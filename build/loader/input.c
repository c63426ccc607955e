/* Standard input, read for the agent. */
#include "loader.h"

/* All of standard input, or a little more than may be asked; false: it cannot be read. */
bool read_input(struct input *input)
{
    while (input->taken.length <= LONGEST_REQUEST) {
        char *chunk;
        ssize_t count = some_input(&chunk);
        if (count < 0) {
            input->lost = input->taken.length > 0;
            return failed(&input->why, last_failure(), NULL);
        }
        if (count == 0) {
            input->ended = true;
            return true;
        }
        if (!add(&input->taken, chunk, (size_t)count)) {
            input->lost = true;
            return failed(&input->why, 0, "there is no memory for it");
        }
    }
    return true;
}
