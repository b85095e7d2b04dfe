"""Lines read by a regular expression of the user: each named group becomes a column or an attribute.

The expression is in the syntax of RE2 (no look-around, no back-references), so the time for a line is proportional to
its length. The expression may match anywhere in the line, as with grep, unless it has ``^`` and ``$``. ``pattern``
checks it, ``fields`` decides which column each group fills, ``times`` reads stamps, and Arrow searches all lines at
once.
"""
