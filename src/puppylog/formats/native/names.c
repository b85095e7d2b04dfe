#include "names.h"

enum { CODES = 6 }; /* the bytes before a path in the table */

static inline size_t hash_of(Span path) {
    uint32_t hash = 2166136261u;
    for (size_t place = 0; place < path.size; place++) hash = (hash ^ path.at[place]) * 16777619u;
    return (hash ^ hash >> 15) % NAME_SLOTS;
}

/* Return the slot of a path, or the empty slot in which to store it. */
static inline size_t slot_of(const Names *names, Span path) {
    size_t slot = hash_of(path);
    for (;; slot = (slot + 1) % NAME_SLOTS) {
        Span found = names->slots[slot].path;
        if (found.size == 0 || (found.size == path.size && memcmp(found.at, path.at, path.size) == 0)) return slot;
    }
}

void names_open(Names *names, Span table) {
    memset(names, 0, sizeof *names);
    const uint8_t *end = table.at + table.size;
    size_t count = 0;
    for (const uint8_t *at = table.at, *newline; end - at > CODES && count < NAME_SLOTS / 2;
         at = newline + 1, count++) {
        newline = memchr(at + CODES, '\n', (size_t)(end - at - CODES));
        if (newline == NULL) return;
        Span path = span_of(at + CODES, newline);
        size_t slot = slot_of(names, path);
        names->slots[slot].path = path;
        names->slots[slot].name = (Name){at[0], at[1], at[2], at[3], at[4], at[5] != 0};
    }
}

Name names_find(const Names *names, Path *path, size_t prefix, Span key) {
    size_t size = prefix;
    for (size_t place = 0; place < key.size; place++) {
        uint8_t byte = key.at[place];
        if (byte == '_' || byte == '-') continue;
        if (size == MAX_PATH_LENGTH - 1 || byte >= 0x80) return (Name){0}; /* one byte is left for a dot */
        path->at[size++] = byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
    }
    path->size = size;
    return size == 0 ? (Name){0} : names->slots[slot_of(names, (Span){path->at, size})].name;
}

Name names_find_at(Names *names, Path *path, size_t place, Span key) {
    if (place >= PLACES || key.size == 0 || key.size > MAX_KEY_LENGTH) return names_find(names, path, 0, key);
    if (names->places[place].size == key.size && memcmp(names->places[place].key, key.at, key.size) == 0) {
        return names->places[place].name;
    }
    Name name = names_find(names, path, 0, key);
    memcpy(names->places[place].key, key.at, key.size);
    names->places[place].size = key.size;
    names->places[place].name = name;
    return name;
}
