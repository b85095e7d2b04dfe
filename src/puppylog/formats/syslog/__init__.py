"""Syslog: lines by RFC 5424 and by RFC 3164, recognized line by line, and what daemons write to files by RFC 3164.

    <PRI>1 yyyy-mm-ddTHH:MM:SSZ host app pid msgid [structured data] message
    [<PRI>]Mmm dd HH:MM:SS host tag[pid]: message
    yyyy-mm-ddTHH:MM:SS+hh:mm host tag[pid]: message

With octet counting (RFC 6587) one line has several messages, each after its size in bytes. ``frames`` separates the
messages, ``rfc5424`` and ``rfc3164`` read one message, ``stamp`` and ``calendar`` find its time. ``native/syslog.c``
does the same in C.
"""
