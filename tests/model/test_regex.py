import re
from collections.abc import Iterator
from typing import Any

import duckdb
import psycopg
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from puppylog.model.regex import RegexError, escape, literal_text, parse_regex, render_are, render_re2, required_word
from puppylog.model.regex.characters import LAST_CASED
from support.postgres import PostgresServer
from support.regexes import TEXTS, regexes

# As long as a pattern may be, in shapes that are hard on an engine.
LARGEST = (
    "[^a]{255}[^b]{255}",
    "(?i)" + "é" * 1000,
    "(?:(?:a|b|c)?d?){200}",
    "(?:a?){255}a{255}",
    "(?:.*a){255}",
    r"(?:\b.*){9}",
    "(?:a{0,255}b){3}",
)


@pytest.fixture(scope="module")
def re2() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def postgres(shared_postgres: PostgresServer) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with (
        shared_postgres.database() as name,
        psycopg.connect(shared_postgres.url(name), autocommit=True) as connection,
    ):
        yield connection


def matched_by_re2(connection: duckdb.DuckDBPyConnection, pattern: str) -> list[bool]:
    sql = "SELECT regexp_matches(unnest($1), $2)"
    return [row[0] for row in connection.execute(sql, [list(TEXTS), pattern]).fetchall()]


@given(pattern=regexes)
def test_a_pattern_means_what_it_means_to_re2(re2: duckdb.DuckDBPyConnection, pattern: str) -> None:
    try:
        tree = parse_regex(pattern)
    except RegexError:
        assume(False)
    matched = matched_by_re2(re2, render_re2(tree))
    assert matched == matched_by_re2(re2, pattern)
    sql = "SELECT contains(lower(text), $1) FROM (SELECT unnest($2) AS text)"
    word = required_word(tree)
    has_word = [row[0] for row in re2.execute(sql, [word, list(TEXTS)]).fetchall()]
    if not set(word) & set("%_\\"):
        sql = "SELECT text ILIKE '%' || $1 || '%' FROM (SELECT unnest($2) AS text)"
        assert has_word == [row[0] for row in re2.execute(sql, [word, list(TEXTS)]).fetchall()]
    assert not [text for text, is_match, has in zip(TEXTS, matched, has_word, strict=True) if is_match and not has]


@given(pattern=regexes)
def test_a_pattern_means_the_same_to_postgresql(
    re2: duckdb.DuckDBPyConnection, postgres: psycopg.Connection[tuple[Any, ...]], pattern: str
) -> None:
    try:
        tree = parse_regex(pattern)
    except RegexError:
        assume(False)
    sql = 'SELECT (text COLLATE "C") ~ %s FROM unnest(%s::text[]) WITH ORDINALITY AS texts(text, place) ORDER BY place'
    answer = postgres.execute(sql, [render_are(tree), list(TEXTS)]).fetchall()
    assert [row[0] for row in answer] == matched_by_re2(re2, pattern)


@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8))
def test_an_escaped_text_is_matched_as_it_stands(re2: duckdb.DuckDBPyConnection, text: str) -> None:
    tree = parse_regex(escape(text))
    assert literal_text(tree) == text
    sql = "SELECT regexp_matches($1, $2)"
    assert re2.execute(sql, [f"x{text}y", f"^x{render_re2(tree)}y$"]).fetchall() == [(True,)]


@pytest.mark.sampled
@pytest.mark.parametrize("pattern", LARGEST)
def test_no_store_calls_an_accepted_pattern_too_complex(
    re2: duckdb.DuckDBPyConnection, postgres: psycopg.Connection[tuple[Any, ...]], pattern: str
) -> None:
    tree, text = parse_regex(pattern), "abcd xyz " * 30
    here = re2.execute("SELECT regexp_matches($1, $2)", [text, render_re2(tree)]).fetchall()
    there = postgres.execute('SELECT (%s COLLATE "C") ~ %s', [text, render_are(tree)]).fetchall()
    assert here == there


def test_every_character_that_re2_folds_is_folded(re2: duckdb.DuckDBPyConnection) -> None:
    cased = [chr(code) for code in range(1, LAST_CASED + 1) if chr(code).lower() != chr(code) or code in {0x131, 0x17F}]
    for start in range(0, len(cased), 200):
        for character in cased[start : start + 200 : 40]:
            others = (
                re.escape(character)
                + character.lower()
                + character.upper()
                + "i\u0131\u0130kK\u212as\u017f\u03c3\u03c2"
            )
            sql = "SELECT string_agg(c, '') FROM (SELECT unnest(string_split($1, '')) AS c) WHERE regexp_matches(c, $2)"
            ours = re2.execute(sql, [others, render_re2(parse_regex(f"(?i)^{escape(character)}$"))]).fetchall()
            assert ours == re2.execute(sql, [others, f"(?i)^{re.escape(character)}$"]).fetchall(), character


@pytest.mark.parametrize(
    ("pattern", "cause", "place"),
    [
        ("a(b", "a parenthesis is not closed", "("),
        ("a)b", "a closing parenthesis has no opening one", ")"),
        ("[ab", "a bracket is not closed", "["),
        ("a\\", "a backslash at the end escapes nothing", "\\"),
        ("*a", "there is nothing before * to repeat", "*"),
        ("a|?", "there is nothing before ? to repeat", "?"),
        ("a**", "a count cannot follow a count; put the part before it into (?:…)", "*"),
        ("a{3}{2}", "a count cannot follow a count; put the part before it into (?:…)", "{"),
        ("a{2,1}", "the count ends below its start", "{2,1}"),
        ("a{256}", "a count is at most 255", "{256}"),
        ("(?=a)", "look-around is not accepted: RE2 has none", "(?="),
        ("(?<!a)", "look-around is not accepted: RE2 has none", "(?<"),
        ("(?#a)", "this kind of group is not accepted: RE2 has none", "(?#"),
        (r"(a)\1", "a back-reference is not accepted: RE2 has none", r"\1"),
        (r"\y", r"there is no escape \y", r"\y"),
        (r"x\x{110000}", "no text has this character", r"\x{110000}"),
        ("[z-a]", "this is not a valid range of characters", "z-a"),
        (r"[a-\d]", "this is not a valid range of characters", r"a-\d"),
        ("[[:nope:]]", "there is no class [:nope:]", "[:nope:]"),
    ],
)
def test_what_re2_or_postgresql_refuses_is_refused_at_its_place(pattern: str, cause: str, place: str) -> None:
    with pytest.raises(RegexError) as refusal:
        parse_regex(pattern)
    assert refusal.value.cause == cause
    assert pattern[refusal.value.start : refusal.value.end] == place


@pytest.mark.parametrize("pattern", ["(" * 30 + ")" * 30, "(?:[a-z]{255}){5}", r"\b" * 11, "a" * 1001])
def test_a_pattern_that_is_too_large_is_refused(pattern: str) -> None:
    with pytest.raises(RegexError, match="more than"):
        parse_regex(pattern)


def test_unicode_classes_are_refused_with_what_to_write() -> None:
    with pytest.raises(RegexError, match=re.escape("such as [a-zà-ÿ]")):
        parse_regex(r"\p{L}")


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("timeout", "timeout"),
        ("(?i)Time Out", "time out"),
        ("(?i)disk", "di"),  # the long s, another case of s, has no lower case
        ("^abc$", "abc"),
        ("(abc)+d", "abc"),
        ("(abc)?de", "de"),
        ("abc|abd", ""),
        ("[ab]cd", "cd"),
        ("it's {x}", "it"),  # what is special in SQL or in a format string parts two words
        ("caf\u00e9s", "caf"),
    ],
)
def test_a_word_that_every_match_contains_is_known(pattern: str, word: str) -> None:
    assert required_word(parse_regex(pattern)) == word
