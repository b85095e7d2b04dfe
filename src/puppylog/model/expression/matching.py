"""The functions that look for a regular expression: in one text, in any text of a record, or in what a record is from.

The pattern must be written out: it is parsed, and each store gets a text that means the same to its engine. The places
that are not in ``log_records`` (source, group, file) are found by a subquery, which a metric's filter cannot have.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from puppylog.model.expression.line import line_like
from puppylog.model.expression.term import Term, TermError, TextTest, Type, compose, quote
from puppylog.model.record import RECORDS, TEXT_COLUMNS
from puppylog.model.regex import (
    RegexError,
    literal_text,
    parse_regex,
    render_are,
    render_re2,
    required_word,
    required_words,
)
from puppylog.model.regex.tree import Regex

SEARCHED: Final = tuple(name for name in RECORDS.names if name in TEXT_COLUMNS)
"""The columns in which ``any_regexp_like`` looks, in addition to the texts in the attributes."""


def regexp_like(arguments: Sequence[Term]) -> Term:
    """Return whether a text matches: ``regexp_like(value, 'pattern')``."""
    value, pattern = arguments
    if value.type not in {Type.TEXT, Type.NULL}:
        raise TermError(f"text is needed here, but this is {value.type}; cast it", 0)
    tree = _parse(pattern, 1)
    duckdb, postgres = _duckdb_test(tree, "{0}", "{1}"), _POSTGRES.format("{0}", "{1}")
    term = compose(
        Type.BOOLEAN, "REGEXP_LIKE({0}, {1})", value, _pattern(pattern, tree), duckdb=duckdb, postgres=postgres
    )
    if value.is_attribute:
        return replace(term, tests=(TextTest.of_attribute(term.duckdb, required_words(tree, _MIN_WORD)),))
    return replace(term, tests=(_text_test(value.canonical, tree),)) if value.canonical in SEARCHED else term


def any_regexp_like(arguments: Sequence[Term]) -> Term:
    """Return whether any text of the record matches: ``any_regexp_like('pattern')``."""
    tree = _parse(arguments[0], 0)
    pattern = _pattern(arguments[0], tree)
    duckdb = " OR ".join([*(_duckdb_test(tree, name, "{0}") for name in SEARCHED), _in_json_duckdb(tree)])
    postgres = " OR ".join([*(_POSTGRES.format(name, "{0}") for name in SEARCHED), "{1}"])
    tests = [*(_text_test(name, tree) for name in SEARCHED), _json_test(tree)]
    term = compose(
        Type.BOOLEAN,
        "ANY_REGEXP_LIKE({0})",
        pattern,
        _in_json_postgres(tree),
        duckdb=f"({duckdb})",
        postgres=f"({postgres})",
    )
    return replace(term, tests=tuple(tests))


def source_like(arguments: Sequence[Term]) -> Term:
    """Return whether the URI of the record's source matches."""
    return _found("SOURCE_LIKE", "streams.source_uri", _STREAMS, arguments)


def group_like(arguments: Sequence[Term]) -> Term:
    """Return whether the record is of a log group whose name matches."""
    return _found("GROUP_LIKE", "groups.name", _GROUPS, arguments)


def file_like(arguments: Sequence[Term]) -> Term:
    """Return whether the path of the record's file, where it was last seen, matches."""
    return _found("FILE_LIKE", "files.path", _FILES, arguments)


def label_like(arguments: Sequence[Term]) -> Term:
    """Return whether a label of the record's stream matches: ``label_like('env', 'pattern')``."""
    name, written = arguments
    if not isinstance(name.literal, str):
        raise TermError("the name of a label must be a string literal", 0)
    pattern = _pattern(written, _parse(written, 1))
    tests = (test.format("(streams.labels ->> {1})", "{0}") for test in (_DUCKDB, _POSTGRES))
    duckdb, postgres = (f"({_STREAMS})".format(condition=test) for test in tests)
    return compose(Type.BOOLEAN, "LABEL_LIKE({1}, {0})", pattern, name, duckdb=duckdb, postgres=postgres)


ELSEWHERE: Final[dict[str, Callable[[Sequence[Term]], Term]]] = {
    "source_like": source_like,
    "group_like": group_like,
    "file_like": file_like,
    "label_like": label_like,
    "line_like": line_like,
}
"""The functions that look into other tables, or into the line that Loki's clients see. Only a search may."""

_STREAMS: Final = "stream_id IN (SELECT streams.id FROM puppylog.log_streams AS streams WHERE {condition})"
_GROUPS: Final = (
    "stream_id IN (SELECT streams.id FROM puppylog.log_streams AS streams "
    "JOIN puppylog.log_groups AS groups ON groups.id = streams.group_id WHERE {condition})"
)
# The stream is named as well: on Citus it says on which server the file is.
_FILES: Final = (
    "(stream_id, file_id) IN (SELECT files.stream_id, files.id FROM puppylog.log_files AS files WHERE {condition})"
)
_DUCKDB: Final = "REGEXP_MATCHES({}, {})"
_POSTGRES: Final = '(({} COLLATE "C") ~ {})'


_MIN_WORD: Final = 3
_WILDCARDS: Final = frozenset("%_\\")


def _duckdb_test(tree: Regex, value: str, pattern: str) -> str:
    """Return the SQL of DuckDB that tests one value.

    Most values lack a word that the pattern needs. Looking for it first takes a tenth of the time of the expression.
    ILIKE looks for it in three quarters of the time that LOWER and CONTAINS take, but % and _ mean something to it.
    """
    test, word = _DUCKDB.format(value, pattern), _word_test(tree, value)
    return test if word is None else f"({word} AND {test})"


def _word_test(tree: Regex, value: str) -> str | None:
    """Return the SQL of DuckDB that looks for the word which the pattern needs; None if there is no long one."""
    word = required_word(tree)
    if len(word) < _MIN_WORD:
        return None
    if word.upper() == word:  # no letters
        return f"CONTAINS({value}, {quote(word)})"
    if set(word) & _WILDCARDS:
        return f"CONTAINS(LOWER({value}), {quote(word)})"
    return f"{value} ILIKE {quote(f'%{word}%')}"


def _text_test(column: str, tree: Regex) -> TextTest:
    test, of_value = (_duckdb_test(tree, name, quote(render_re2(tree))) for name in (column, "value"))
    return TextTest(column, test, _word_test(tree, column) or test, of_value, required_words(tree, _MIN_WORD))


def _json_test(tree: Regex) -> TextTest:
    pattern = quote(render_re2(tree))
    test, sieve = (part.format(pattern) for part in (_in_json_duckdb(tree), _json_sieve(tree)))
    return TextTest("attributes", test, sieve, None, required_words(tree, _MIN_WORD))


def _parse(pattern: Term, argument: int) -> Regex:
    if not isinstance(pattern.literal, str):
        raise TermError("a regular expression must be a string literal", argument)
    try:
        return parse_regex(pattern.literal)
    except RegexError as error:
        raise TermError(f"in the regular expression, {error.cause}", argument) from None


def _pattern(written: Term, tree: Regex) -> Term:
    """Return the pattern as each of its readers takes it."""
    return Term(Type.TEXT, written.canonical, quote(render_re2(tree)), quote(render_are(tree)))


def _found(name: str, value: str, wrapper: str, arguments: Sequence[Term]) -> Term:
    pattern = _pattern(arguments[0], _parse(arguments[0], 0))
    duckdb, postgres = (f"({wrapper})".format(condition=test.format(value, "{0}")) for test in (_DUCKDB, _POSTGRES))
    return compose(Type.BOOLEAN, f"{name}({{0}})", pattern, duckdb=duckdb, postgres=postgres)


# Every value at any depth comes as JSON; those that are texts begin with a quote.
_JSON_TEXTS: Final = (
    "LEN(LIST_FILTER(JSON_EXTRACT(attributes, '$..*'), "
    "LAMBDA x: STARTS_WITH(CAST(x AS VARCHAR), '\"') AND REGEXP_MATCHES(x ->> '$', {0}))) > 0"
)


def _in_json_duckdb(tree: Regex) -> str:
    """Return the SQL of DuckDB that tests every text in the attributes.

    DuckDB may change the order of what ``AND`` joins, but not that of a CASE.
    """
    if not literal_text(tree):
        return f"({_JSON_TEXTS})"
    return f"(CASE WHEN {_json_sieve(tree)} THEN {_JSON_TEXTS} WHEN attributes IS NOT NULL THEN FALSE END)"


def _json_sieve(tree: Regex) -> str:
    """Return the SQL of DuckDB that is true for all attributes in which a text may match.

    Strings in JSON without a backslash are not escaped, so a text that is not in the JSON is in none of its strings.
    Looking there takes an eighth of the time.
    """
    if not literal_text(tree):
        return "attributes IS NOT NULL"
    json = "CAST(attributes AS VARCHAR)"
    return f"(CONTAINS({json}, '\\') OR {_word_test(tree, json) or _DUCKDB.format(json, '{0}')})"


def _in_json_postgres(tree: Regex) -> Term:
    """Return the SQL of PostgreSQL that tests every string in the attributes."""
    escaped = render_are(tree).replace("\\", "\\\\").replace('"', '\\"')
    path = quote(f'$.** ? (@ like_regex "{escaped}")')
    sql = f"JSONB_PATH_EXISTS(attributes, {path})"
    return Term(Type.BOOLEAN, "", "", sql)
