/* Reads lines of servers' error logs that are messages of other records: see inner.py. */
#ifndef PUPPYLOG_ERROR_LOGS_H
#define PUPPYLOG_ERROR_LOGS_H

#include "builder.h"

/* Read a line of nginx's error log into the row and the attributes; return false if it is none. Only a text that is
 * read writes attributes. */
bool nginx_error_read(Builder *builder, Span text, Row *row);

/* The same for Apache's error log, which has no time in messages of syslog. */
bool apache_error_read(Builder *builder, Span text, Row *row);

#endif
