#include "memory.h"

#include <stdlib.h>

enum { MAX_KEPT = 8 << 20 }; /* larger blocks are freed and not kept */

#ifdef PUPPYLOG_TEST_MEMORY
_Atomic long memory_fails_after = -1, memory_blocks = 0;

static bool may_allocate(void) {
    if (memory_fails_after == 0) return false;
    memory_fails_after -= memory_fails_after > 0;
    return true;
}

void *memory_resize(void *at, size_t size) {
    void *resized = may_allocate() ? realloc(at, size) : NULL;
    memory_blocks += at == NULL && resized != NULL;
    return resized;
}

void memory_free(void *at) {
    memory_blocks -= at != NULL;
    free(at);
}
#else
void *memory_resize(void *at, size_t size) { return realloc(at, size); }

void memory_free(void *at) { free(at); }
#endif

Bytes memory_reuse(Kept *kept, int slot) {
    if (kept->counts[slot] == 0) return (Bytes){0};
    Bytes bytes = kept->blocks[slot][--kept->counts[slot]];
    bytes.size = 0;
    return bytes;
}

void memory_keep(Kept *kept, int slot, Bytes bytes) {
    if (bytes.at != NULL && bytes.capacity <= MAX_KEPT && kept->counts[slot] < DEPTH) {
        kept->blocks[slot][kept->counts[slot]++] = bytes;
    } else {
        memory_free(bytes.at);
    }
}

void memory_clear(Kept *kept) {
    for (int slot = 0; slot < SLOTS; slot++) {
        while (kept->counts[slot] > 0) memory_free(kept->blocks[slot][--kept->counts[slot]].at);
    }
}

bool bytes_grow(Bytes *bytes, size_t more) {
    size_t capacity = bytes->capacity * 2 > bytes->size + more ? bytes->capacity * 2 : bytes->size + more + 64;
    uint8_t *at = memory_resize(bytes->at, capacity);
    if (at == NULL) return false;
    bytes->at = at;
    bytes->capacity = capacity;
    return true;
}
