#include "memory.h"

#include <stdlib.h>

enum { DEPTH = 8, LARGEST_KEPT = 8 << 20 }; /* of a slot: as many as there are chunks between two writes of a batch */

#ifdef PUPPYLOG_TEST_MEMORY
long memory_fails_after = -1, memory_blocks = 0;

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

static Bytes kept[SLOTS][DEPTH];
static int kept_count[SLOTS];

Bytes memory_reuse(int slot) {
    if (kept_count[slot] == 0) return (Bytes){0};
    Bytes bytes = kept[slot][--kept_count[slot]];
    bytes.size = 0;
    return bytes;
}

void memory_give_back(int slot, Bytes bytes) {
    if (bytes.at != NULL && bytes.room <= LARGEST_KEPT && kept_count[slot] < DEPTH) {
        kept[slot][kept_count[slot]++] = bytes;
    } else {
        memory_free(bytes.at);
    }
}

void memory_forget(void) {
    for (int slot = 0; slot < SLOTS; slot++) {
        while (kept_count[slot] > 0) memory_free(kept[slot][--kept_count[slot]].at);
    }
}

bool bytes_grow(Bytes *bytes, size_t more) {
    size_t room = bytes->room * 2 > bytes->size + more ? bytes->room * 2 : bytes->size + more + 64;
    uint8_t *at = memory_resize(bytes->at, room);
    if (at == NULL) return false;
    bytes->at = at;
    bytes->room = room;
    return true;
}
