"""Syslog: the lines of RFC 5424 and of RFC 3164, told apart line by line, and what daemons make of the latter in files.

    <PRI>1 yyyy-mm-ddTHH:MM:SSZ host app pid msgid [structured data] message
    [<PRI>]Mmm dd HH:MM:SS host tag[pid]: message
    yyyy-mm-ddTHH:MM:SS+hh:mm host tag[pid]: message

With octet counting (RFC 6587) several of them, each after its size in bytes, stand in one line. ``frames`` parts them,
``rfc5424`` and ``rfc3164`` read one each, ``stamp`` and ``calendar`` find the time. ``native/syslog.c`` says the same
in C.
"""
