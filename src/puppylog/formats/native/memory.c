#include "memory.h"

#include <stdlib.h>

enum { DEPTH = 8, LARGEST_KEPT = 8 << 20 }; /* of a slot: as many as there are chunks between two writes of a batch */

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
        free(bytes.at);
    }
}

bool bytes_grow(Bytes *bytes, size_t more) {
    size_t room = bytes->room * 2 > bytes->size + more ? bytes->room * 2 : bytes->size + more + 64;
    uint8_t *at = realloc(bytes->at, room);
    if (at == NULL) return false;
    bytes->at = at;
    bytes->room = room;
    return true;
}
