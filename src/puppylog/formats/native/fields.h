/* Fields with names become columns and attributes; fields.py says the same in Python, and what is done with what. */
#ifndef PUPPYLOG_FIELDS_H
#define PUPPYLOG_FIELDS_H

#include "names.h"

typedef enum { VALUE_OTHER, VALUE_TEXT, VALUE_NUMBER, VALUE_NULL } Kind;

/* A field of a line. The members of an object that is looked into follow it. */
typedef struct {
    Span key;
    Span json; /* the value; nothing if it is a text that is not quoted yet */
    Span text; /* the value of named texts and numbers */
    Kind kind;
    bool is_done; /* it is in a column, or says nothing */
    Name name;
    size_t inner; /* so many of the next ones are in this one */
} Member;

/* Fill the row from the members of a line, whose keys differ. `room` is where to write texts that must be changed: as
 * many bytes as all texts of the members have. */
void fields_read(Member *members, size_t count, uint8_t *room, Row *row);

/* Write what is in no column into the attributes. */
void fields_write(Builder *builder, const Member *members, size_t count);

/* Keys of one object, to be compared with each other. */
typedef struct {
    Span text;
    uint32_t since, until; /* the member's; they are the caller's */
} Key;

/* Whether two are equal; the keys may have changed their order then. */
bool keys_repeat(Key *keys, size_t count);

/* Sort by text, equal ones by where they are. */
void keys_sort(Key *keys, size_t count);

static inline bool keys_equal(const Key *one, const Key *other) {
    return one->text.size == other->text.size && memcmp(one->text.at, other->text.at, one->text.size) == 0;
}

#endif
