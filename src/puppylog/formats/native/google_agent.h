/* Reads what Google's agents for virtual machines write into syslog: see google_agent.py. */
#ifndef PUPPYLOG_GOOGLE_AGENT_H
#define PUPPYLOG_GOOGLE_AGENT_H

#include "builder.h"

/* Fill the row from a message, and write the attributes; return false, and write nothing, if it has another form. */
bool google_agent_read(Builder *builder, Span text, Row *row);

#endif
