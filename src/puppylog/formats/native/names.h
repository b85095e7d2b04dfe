/* The meaning of field names: the table of names.py, which is an argument of the readers. */
#ifndef PUPPYLOG_NAMES_H
#define PUPPYLOG_NAMES_H

#include "builder.h"

enum { NAME_SLOTS = 1024, MAX_PATH_LENGTH = 64 };
enum { PLACES = 32, MAX_KEY_LENGTH = 24 }; /* how many keys of a line are remembered, and how long they may be */

typedef struct {
    uint8_t field;    /* one of NAMED_FIELDS, or FIELD_NONE */
    uint8_t rank;     /* if a line has several names of one field, the name with the lowest rank fills it */
    uint8_t rule;     /* when the name means the field: one of NAME_RULES */
    uint8_t notation; /* of a severity: one of SEVERITY_NOTATIONS */
    uint8_t sign;     /* what the name says about the line: 1 more than one of NAME_SIGNS, or 0 */
    bool is_object;   /* the table has names of members of an object with this name */
} Name;

typedef struct {
    struct {
        Span path;
        Name name;
    } slots[NAME_SLOTS];
    struct {
        uint8_t key[MAX_KEY_LENGTH];
        size_t size;
        Name name;
    } places[PLACES]; /* the last key at each place of a line */
} Names;

/* A normalized key, or the normalized keys of nested objects with dots between them. */
typedef struct {
    uint8_t at[MAX_PATH_LENGTH];
    size_t size;
} Path;

/* Read the table, which must stay in memory. */
void names_open(Names *names, Span table);

/* Write the normalized key after the first `prefix` bytes of the path, and return what the path means. */
Name names_find(const Names *names, Path *path, size_t prefix, Span key);

/* Return what a key means that is not in a nested object and is the one of number `place` in its line. Lines of a file
 * mostly have the same keys in the same places, so the last key at each place is remembered. The path may be written or
 * not. */
Name names_find_at(Names *names, Path *path, size_t place, Span key);

#endif
