/* Reads a line of glog or klog: see klog.py. */
#ifndef PUPPYLOG_KLOG_H
#define PUPPYLOG_KLOG_H

#include "stamp.h"

/* Fill the row from a line, and write the attributes; return false, and write nothing, if the line has no head.
 * `dating` is updated. */
bool klog_read(Builder *builder, Dating *dating, Span line, Row *row);

#endif
