"""The error of a LogQL query that is not read."""

from puppylog.errors import SearchError


def refuse(query: str, at: int, cause: str, advice: str = "") -> SearchError:
    """Return the error of a query with a fault at the character ``at``. Its message has line and column."""
    line = query.count("\n", 0, at) + 1
    column = at - (query.rfind("\n", 0, at) + 1) + 1
    return SearchError(f"line {line}, col {column}: {cause}", advice, written=query, at=at)
