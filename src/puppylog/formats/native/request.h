/* The request of an access log. */
#ifndef PUPPYLOG_REQUEST_H
#define PUPPYLOG_REQUEST_H

#include "builder.h"

/* METHOD route HTTP/x, or METHOD /route, or garbage, which becomes the message. */
void read_request(Span text, Row *row);

/* Whether it can be a method: capitals, and behind the first also digits, _ and -. */
bool is_method(Span word);

#endif
