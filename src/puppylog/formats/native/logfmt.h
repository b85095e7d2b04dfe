/* Reads logfmt into columns and attributes: see logfmt.py. */
#ifndef PUPPYLOG_LOGFMT_H
#define PUPPYLOG_LOGFMT_H

#include "fields.h"

/* Set all to 0 except `builder` and `names` to begin. */
typedef struct {
    Builder *builder;
    Names *names;
    Path path;
    Bytes members;    /* Member */
    Bytes keys;       /* Key */
    uint8_t *scratch; /* memory for texts whose escapes are replaced */
    bool has_invalid_escapes, failed;
} LogfmtReader;

/* Return whether the text begins with `key=`. */
bool logfmt_begins(Span text);

/* Fill the row from a line, write the attributes, and return FITS; or return the reason to reject the line. */
int logfmt_read(LogfmtReader *reader, Span line, Row *row);

/* Free the memory. If an allocation failed, the builder has failed, too. */
void logfmt_close(LogfmtReader *reader);

#endif
