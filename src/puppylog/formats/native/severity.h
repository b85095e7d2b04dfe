/* Severities of records: the scale, its spellings, and the word that a line has. formats/severity.py does the same in
 * Python; the scale is in model/severity.py, too. */
#ifndef PUPPYLOG_SEVERITY_H
#define PUPPYLOG_SEVERITY_H

#include "builder.h"

/* Return the name of the severity that the word means, in memory that stays; an empty span if it is no severity. The
 * word has no brackets around it, and is no single letter. */
Span severity_find(Span word);

/* Return the severity that a text means in a notation, which is one of SEVERITY_NOTATIONS, and set `kept` to the word
 * that is to be kept, which may be empty. Return an empty span if the text is no severity. */
Span severity_read(Span written, int notation, Span *kept);

/* Set the severity of the row to what the word means, and write the member `severity_text` if the name differs from the
 * word. Return false, and change nothing, if the word is no severity. */
bool row_set_severity(Builder *builder, Row *row, Span written);

#endif
