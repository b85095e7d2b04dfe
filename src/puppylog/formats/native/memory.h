/* Memory that grows. What a column needed once it will need again: freed blocks are kept for the next text, because
 * fresh pages cost as much as the parsing that fills them. */
#ifndef PUPPYLOG_MEMORY_H
#define PUPPYLOG_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint8_t *at;
    size_t size, room;
} Bytes;

enum { SLOTS = 64 }; /* kinds of blocks: those of one slot are used alike */

/* Return an empty block that was used for this slot before, or nothing. Call it with Python's lock held. */
Bytes memory_reuse(int slot);

/* Keep the block for its slot, or free it. Call it with Python's lock held. */
void memory_give_back(int slot, Bytes bytes);

/* Make room for `more` bytes at the end; false when there is no memory. */
bool bytes_grow(Bytes *bytes, size_t more);

static inline bool bytes_reserve(Bytes *bytes, size_t more) {
    return bytes->room - bytes->size >= more || bytes_grow(bytes, more);
}

#endif
