"""The templates of ``line_format`` and ``label_format``: text, and labels in double braces."""

import re
from typing import Final

from puppylog.model.logql.refusal import refuse
from puppylog.model.logql.tree import FieldOf, Template

LINE: Final = "__line__"
TIMESTAMP: Final = "__timestamp__"

_ACTION: Final = re.compile(r"\{\{(-?)(.*?)(-?)\}\}", re.DOTALL)
_FIELD: Final = re.compile(rf"\s*(?:\.([A-Za-z_][A-Za-z0-9_]*)|({LINE}|{TIMESTAMP}))\s*")
_MAX_PARTS: Final = 50


def read_template(query: str, text: str, at: int) -> Template:
    """Return the parts of a template.

    Args:
        query: the whole query, for errors.
        text: the template.
        at: where it is in the query.

    Raises:
        SearchError: the template has something other than names of labels in double braces.
    """
    parts: list[str | FieldOf] = []
    end, cuts_blanks = 0, False
    for found in _ACTION.finditer(text):
        field = _FIELD.fullmatch(found[2])
        if field is None:
            cause = f"{{{{{found[2].strip()}}}}} is not supported in a template"
            raise refuse(query, at, cause, "write names of labels, such as {{.host}} or {{__line__}}")
        before = text[end : found.start()]
        before = before.lstrip() if cuts_blanks else before
        parts += [before.rstrip() if found[1] else before, FieldOf(field[1] or field[2])]
        end, cuts_blanks = found.end(), bool(found[3])
    rest = text[end:].lstrip() if cuts_blanks else text[end:]
    if "{{" in rest or "}}" in rest:
        raise refuse(query, at, "the double braces of this template are not closed")
    parts.append(rest)
    if len(parts) > _MAX_PARTS:
        raise refuse(query, at, f"a template has at most {_MAX_PARTS // 2} labels")
    return tuple(part for part in parts if part != "")
