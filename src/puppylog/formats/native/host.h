/* Finds the host in what a line says about a client. host.py does the same in Python, and describes it. */
#ifndef PUPPYLOG_HOST_H
#define PUPPYLOG_HOST_H

#include "builder.h"

typedef struct {
    Span name, port; /* the port is empty if the text has none */
    bool is_first;   /* of a list */
} Host;

/* Read the host in a text; return false if the text is no host. */
bool host_read(Span text, Host *host);

#endif
