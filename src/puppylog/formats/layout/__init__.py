r"""Layouts: formats described by the configuration of a server, nginx's ``log_format`` and Apache's ``LogFormat``.

``nginx`` and ``apache`` parse such a string into texts and fields. ``assembly`` decides what each field fills and where
it ends, and makes a program of steps. ``reader`` reads lines with a program. W3C extended logs, whose fields are named
in the log itself, are read with such programs, too. ``configuration`` finds the strings in a configuration file.

Escapes stay as the server wrote them (``\x22``, ``\"``), as in the format ``access``, so that both formats make the
same record of a line.
"""
