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
enum { DEPTH = 8 };  /* blocks kept of a slot: as many as there are chunks between two writes of a batch */

/* Blocks that are kept for the next text. It belongs to one module, whose lock is held where it is used. */
typedef struct {
    Bytes blocks[SLOTS][DEPTH];
    int counts[SLOTS];
} Kept;

/* Change the size of a block, which NULL makes a new one; NULL, and the block as it was, when there is no memory. */
void *memory_resize(void *at, size_t size);

void memory_free(void *at);

/* Return an empty block that was used for this slot before, or nothing. */
Bytes memory_reuse(Kept *kept, int slot);

/* Keep the block for its slot, or free it. */
void memory_give_back(Kept *kept, int slot, Bytes bytes);

/* Free the blocks that are kept. */
void memory_forget(Kept *kept);

/* Make room for `more` bytes at the end; false when there is no memory. */
bool bytes_grow(Bytes *bytes, size_t more);

static inline bool bytes_reserve(Bytes *bytes, size_t more) {
    return bytes->room - bytes->size >= more || bytes_grow(bytes, more);
}

/* Add what `data` points to at the end; on false, and `failed` is set, there was no memory. */
static inline bool bytes_append(Bytes *bytes, const void *data, size_t size, bool *failed) {
    if (!bytes_reserve(bytes, size)) return !(*failed = true);
    memcpy(bytes->at + bytes->size, data, size);
    bytes->size += size;
    return true;
}

#ifdef PUPPYLOG_TEST_MEMORY
extern _Atomic long memory_fails_after; /* so many calls succeed, all later ones fail; less than 0: none fails */
extern _Atomic long memory_blocks;      /* that are allocated */
#endif

#endif
