"""The page writes queries as the parser of queries reads them."""

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from puppylog.errors import SearchError
from puppylog.model.query import parse_query
from puppylog.model.query.tree import And, FieldRegex, FieldTest, Has, Not, Query
from support.page import ReusedPage

_PARTS = [
    *(
        "a",
        "host",
        "x",
        "-",
        "not ",
        "and ",
        "or ",
        "AND",
        " ",
        "(",
        ")",
        '"',
        '"',
        "\\",
        "*",
        ":",
        "=",
        "!=",
        "<",
        ">=",
    ),
    *(
        "~",
        "=~",
        "/",
        "/",
        ".",
        "é",
        "\u2003",
        "\x1c",
        "😀",
        "has:",
        "5",
        "\n",
        "\ufeff",
        "\u202e",
        "<b>",
        "1e5",
        "007",
    ),
]
_NAMES = [
    "host",
    "x",
    "has",
    "a b",
    "é",
    "status_code",
    "attributes.host",
    "source",
    "message",
    "severity",
    "group",
    "not",
]


@pytest.fixture(scope="module")
def module(reused_page: ReusedPage) -> Iterator[Page]:
    """A page that has the page's modules as ``scan`` and ``query``."""
    page = reused_page.open()
    page.goto("/#/sql")
    page.evaluate(
        """async () => {
            const own = document.querySelector("script[type=module]").src;
            window.scan = await import(new URL("search/scan.js", own));
            window.query = await import(new URL("search/query.js", own));
        }"""
    )
    yield page
    assert reused_page.faults == []
    reused_page.rest()


def parse(text: str) -> Query | None:
    try:
        return parse_query(text)
    except SearchError:
        return None


def list_parts(query: Query) -> list[Query]:
    return list(query.parts) if isinstance(query, And) else [query]


def make_texts(seed: int, number: int, longest: int) -> list[str]:
    choose = random.Random(seed)
    return ["".join(choose.choices(_PARTS, k=choose.randint(0, longest))) for _ in range(number)]


def test_the_page_reads_the_same_queries_as_the_server(module: Page) -> None:
    texts = [text for text in make_texts(1, 4000, 10) if text.strip() and "~" not in text and "/" not in text]
    answers: list[dict[str, Any] | None] = module.evaluate("texts => texts.map(scan.readTests)", texts)
    assert sum(answer is not None for answer in answers) > 300
    for text, answer in zip(texts, answers, strict=True):
        tree = parse(text)
        assert (tree is None) == (answer is None), text
        if tree is None or answer is None or answer["isOr"]:
            continue
        for test in answer["tests"]:
            part = parse(f"-{test['text']}" if test["isNegated"] else test["text"])
            assert part is not None, text
            assert test["kind"] == "group" or part in list_parts(tree), text


@pytest.mark.parametrize("name", _NAMES)
def test_a_value_that_is_clicked_is_the_value_that_is_searched(module: Page, name: str) -> None:
    values = [*make_texts(2, 400, 6), "7", "-1.5", "007", "1e5", "inf", "", "err", "Error", "a" * 200]
    terms: list[str] = module.evaluate(
        "([name, values]) => values.map((one) => query.valueTerm(name, one))", [name, values]
    )
    for value, term in zip(values, terms, strict=True):
        tree = parse(term)
        assert tree is not None, (value, term)
        if isinstance(tree, FieldRegex):
            assert term.isprintable()
            numbers = re.sub(r"\\x\{(\w+)\}", lambda found: re.escape(chr(int(found[1], 16))), tree.regex.pattern)
            assert re.fullmatch(numbers.removesuffix(r"\z"), value), term
        else:
            assert isinstance(tree, FieldTest), term
            assert (tree.name.text, tree.value.parts) == (name, (value,)), term
            assert tree.operator in {":", "="}


def test_characters_that_cannot_be_seen_are_written_as_numbers(module: Page) -> None:
    write = "value => query.valueTerm('message', value)"
    assert module.evaluate(write, "a/b\n\u202ec") == r"message~/\Aa\/b\x{a}\x{202e}c\z/"
    assert module.evaluate(write, "x" * 1_000_000) == f"message~/\\A{'x' * 200}/"
    assert module.evaluate(write, None) == "-has:message"


def test_a_value_is_added_excluded_and_removed_and_all_else_stays(module: Page) -> None:
    queries = [text for text in make_texts(3, 1500, 9) if parse(text) is not None]
    term = 'host="a b"'
    wanted = parse_query(term)
    changed: list[list[str | None]] = module.evaluate(
        "([queries, term]) => queries.map((q) => [query.addTerm(q, term), query.excludeTerm(q, term)])", [queries, term]
    )
    for query, [added, excluded] in zip(queries, changed, strict=True):
        assert added is not None, query
        assert excluded is not None, query
        before = list_parts(parse_query(query))
        assert [part for part in list_parts(parse_query(added)) if part not in before] == [wanted], query
        assert [part for part in list_parts(parse_query(excluded)) if part not in before] == [Not(wanted)], query
        kept = list_parts(parse_query(added))
        assert all(part in kept for part in before), query


def test_a_click_never_makes_a_query_that_contradicts_itself(module: Page) -> None:
    change = "([name, q, term]) => query[name](q, term)"
    assert module.evaluate(change, ["addTerm", 'x -host="a"', "host=a"]) == "x host=a"
    assert module.evaluate(change, ["excludeTerm", "host:a x", "host=a"]) == "x -host=a"
    assert module.evaluate(change, ["addTerm", "severity:err x", "severity:error"]) == "severity:err x"
    assert module.evaluate(change, ["removeTerm", "severity:err or x", "x"]) == "severity:err or x"
    assert module.evaluate(change, ["removeTerm", "(a or b) x", "x"]) == "a or b"
    assert module.evaluate(change, ["addTerm", "a or b", "x"]) == "(a or b) x"
    assert module.evaluate(change, ["addTerm", "", "-has:user"]) == "-has:user"
    assert module.evaluate(change, ["excludeTerm", "", "-has:user"]) == "has:user"
    assert module.evaluate(change, ["addTerm", 'an open "quote', "x"]) is None
    assert module.evaluate(change, ["addTerm", "y" * 999, "x"]) is None
    assert module.evaluate(change, ["addTerm", "(" * 500 + "y" + ")" * 500, "x"]) is None
    assert module.evaluate(change, ["addTerm", "(" * 100_000, "x"]) is None


def test_the_query_of_a_shape_finds_its_example(module: Page) -> None:
    write = "([shape, example]) => query.shapeTerm('message', shape, example)"
    term = module.evaluate(write, ["user * from *:* (*)", "user 17 from 10.0.0.1:80 (3f2a9c1b77)"])
    assert term == r"message~/\Auser \S+ from \S+:\S+ \(\S+\)(\n|\z)/"
    long = module.evaluate(write, ["* word" * 100, "1 word" * 100])
    assert isinstance(parse(long), FieldRegex)
    assert isinstance(parse_query("has:user"), Has)
