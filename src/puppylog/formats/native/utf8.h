/* Checks that a text is UTF-8. */
#ifndef PUPPYLOG_UTF8_H
#define PUPPYLOG_UTF8_H

#include "builder.h"

/* Return whether the text is strict UTF-8, as Python's decoder defines it. */
bool is_utf8(Span text);

#endif
