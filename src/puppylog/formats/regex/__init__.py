"""Lines read by a regular expression that a person writes: each named group becomes a column or an attribute.

The expression is RE2's (no look-around, no back-references), so no line takes longer than its length. It is searched
for, as grep does: write ``^`` and ``$`` to ask for the whole line. ``pattern`` checks it, ``fields`` says what becomes
of which group, ``times`` reads stamps, and Arrow runs it over all lines at once.
"""
