/* What the names of fields mean: the table of names.py, which is handed over with each text. */
#ifndef PUPPYLOG_NAMES_H
#define PUPPYLOG_NAMES_H

#include "builder.h"

enum { NAME_SLOTS = 1024, LONGEST_PATH = 48 };

typedef struct {
    uint8_t field;  /* one of those in fields.h, or 0 */
    uint8_t rank;   /* of several names for one field, the one of least rank counts */
    bool is_object; /* names are in an object that has this name */
} Name;

typedef struct {
    struct {
        Span path;
        Name name;
    } slots[NAME_SLOTS];
} Names;

/* A folded key, or several of objects in objects with dots between. */
typedef struct {
    uint8_t at[LONGEST_PATH];
    size_t size;
} Path;

/* Take up the table, which must stay where it is. */
void names_open(Names *names, Span table);

/* Fold the key behind the first `prefix` bytes of the path, and return what it means. */
Name names_find(const Names *names, Path *path, size_t prefix, Span key);

#endif
