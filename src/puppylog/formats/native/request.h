/* The request of an access log. */
#ifndef PUPPYLOG_REQUEST_H
#define PUPPYLOG_REQUEST_H

#include "builder.h"

/* Read METHOD route HTTP/x, or METHOD /route. Another text becomes the message. */
void read_request(Span text, Row *row);

/* Return whether the word can be a method: a capital, then capitals, digits, _ and -. */
bool is_method(Span word);

#endif
