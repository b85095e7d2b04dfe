/* Turns fields with names into columns and attributes. fields.py does the same in Python, and describes it. */
#ifndef PUPPYLOG_FIELDS_H
#define PUPPYLOG_FIELDS_H

#include "names.h"

typedef enum { VALUE_OTHER, VALUE_TEXT, VALUE_NUMBER, VALUE_NULL } Kind;

/* A field of a line. If its value is an object with named members, these members follow in the array. */
typedef struct {
    Span key;
    Span json; /* the value in JSON; empty if the value is a text that is not quoted yet */
    Span text; /* the value of a text or a number that has a name */
    Kind kind;
    bool is_used; /* the value fills a column, or is unknown: it becomes no attribute */
    Name name;
    size_t inner; /* the number of members that follow and belong to this object */
} Member;

/* What the values of columns say more; each becomes an attribute, unless it is empty. */
typedef struct {
    Span zone, severity_text, client_port, forwarded_for;
    Span forwarded_list; /* in JSON */
} Extras;

/* Fill the row and the extras from the members of a line, whose keys must differ. */
void fields_read(Member *members, size_t count, Row *row, Extras *extras);

/* Write the members that are not used, and then the extras, into the attributes. */
void fields_write(Builder *builder, const Member *members, size_t count, const Extras *extras);

/* A key of an object, to be compared with the other keys of the object. */
typedef struct {
    Span text;
    uint32_t start, end; /* for the caller: where the member starts and ends */
} Key;

/* Return whether two keys are equal. May change the order of the keys. */
bool keys_have_duplicates(Key *keys, size_t count);

/* Sort the keys by text, and equal keys by their start. */
void keys_sort(Key *keys, size_t count);

static inline bool keys_equal(const Key *one, const Key *other) {
    Span left = one->text, right = other->text;
    if (left.size != right.size) return false;
    return left.size == 0 || (left.at[0] == right.at[0] && memcmp(left.at, right.at, left.size) == 0);
}

#endif
