/* Reads JSON objects into columns and attributes: see json_object.py. */
#ifndef PUPPYLOG_JSON_READER_H
#define PUPPYLOG_JSON_READER_H

#include "json_text.h"

/* Set all to 0 except `builder` and `names` to begin. */
typedef struct {
    Builder *builder;
    Names *names;
    Path path;
    Walk walk;
    Bytes members; /* Member: of the object that was read last */
    Extras extras;
    bool has_invalid_escapes;
    Bytes memory;     /* for texts whose escapes are replaced */
    uint8_t *scratch; /* the unused part of it */
} JsonReader;

/* Fill the row from an object that is all of `text`; return FITS or the reason to reject the text. The texts of the row
 * are in `text` or in the reader's memory, until the next object is read. */
int json_read(JsonReader *reader, Span text, Row *row);

/* Write the attributes of the object that was read last. */
void json_write(JsonReader *reader);

/* Free the memory. If an allocation failed, the builder has failed, too. */
void json_close(JsonReader *reader);

#endif
