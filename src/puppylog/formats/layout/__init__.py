r"""Lines as a server's own configuration describes them: nginx's ``log_format``, Apache's ``LogFormat``.

``nginx`` and ``apache`` read such a string into texts and fields, ``assembly`` decides what each field fills and where
it ends, and ``reader`` reads lines by the steps that come out. W3C extended logs, whose fields stand in the log itself,
are read by the same steps. ``configuration`` finds the strings in a file.

Escapes stay as the server wrote them (``\x22``, ``\"``), as in the format ``access``: both say the same of a line.
"""
