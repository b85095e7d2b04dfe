"""Tables of text: CSV and TSV with a header, and the logs of Zeek.

``rows`` finds where each row begins, because a quoted field may have newlines, and splits rows into fields. ``header``
reads the names of the columns. The columns are then read like the fields of a format file.
"""
