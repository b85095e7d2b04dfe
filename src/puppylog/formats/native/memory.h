/* Memory blocks that grow. Freed blocks are kept for the next text, which needs blocks of the same size, because
 * allocating new pages takes as long as the parsing that fills them. */
#ifndef PUPPYLOG_MEMORY_H
#define PUPPYLOG_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint8_t *at;
    size_t size, capacity;
} Bytes;

enum { SLOTS = 64 }; /* a slot for each use of a block, such as the values of one column */
enum { DEPTH = 8 };  /* blocks kept for a slot: as many as there are chunks between two writes of a batch */

/* Blocks that are kept for the next text. They belong to one module, whose lock must be held. */
typedef struct {
    Bytes blocks[SLOTS][DEPTH];
    int counts[SLOTS];
} Kept;

/* Resize a block, or allocate one if `at` is NULL. If the allocation fails, return NULL and do not change the block. */
void *memory_resize(void *at, size_t size);

void memory_free(void *at);

/* Return a block that was kept for this slot, with size 0; an empty block if there is none. */
Bytes memory_reuse(Kept *kept, int slot);

/* Keep the block for its slot, or free it. */
void memory_keep(Kept *kept, int slot, Bytes bytes);

/* Free all kept blocks. */
void memory_clear(Kept *kept);

/* Reserve memory for `more` bytes at the end; return false if the allocation fails. */
bool bytes_grow(Bytes *bytes, size_t more);

static inline bool bytes_reserve(Bytes *bytes, size_t more) {
    return bytes->capacity - bytes->size >= more || bytes_grow(bytes, more);
}

/* Append `size` bytes, and return them for the caller to write. If the allocation fails, set `failed` and return NULL. A
 * structure is written in its place, because copying it right after it was written makes the processor wait for it. */
static inline void *bytes_extend(Bytes *bytes, size_t size, bool *failed) {
    if (!bytes_reserve(bytes, size)) {
        *failed = true;
        return NULL;
    }
    void *added = bytes->at + bytes->size;
    bytes->size += size;
    return added;
}

#ifdef PUPPYLOG_TEST_MEMORY
extern _Atomic long memory_fails_after; /* so many allocations succeed, all later ones fail; negative: none fails */
extern _Atomic long memory_blocks;      /* the number of allocated blocks */
#endif

#endif
