from puppylog.model.query import parse_query
from puppylog.model.query.finders import find_matches
from puppylog.tui.vertical import VerticalLayout

FIELDS = [
    ("ts", "2026-03-01T12:00:00+00:00"),
    ("message", "one two three four five six seven\n\tat line 2"),
    ("a.b", "x"),
]


def test_a_record_has_one_field_per_line_and_long_values_are_wrapped() -> None:
    layout = VerticalLayout(40)
    assert list(layout.draw(FIELDS)) == [
        "ts       2026-03-01T12:00:00+00:00",
        "message  one two three four five six",
        "         seven",
        "             at line 2",
        "a.b      x",
    ]
    assert list(layout.draw([("x", "1")])) == ["", "x  1"]


def test_a_name_that_is_too_long_has_a_line_of_its_own() -> None:
    assert list(VerticalLayout(20).draw([("a", "1"), ("b.c.d.e.f.g", "2"), ("b.c.d", "3")])) == [
        "a      1",
        "b.c.d.e.f.g",
        "       2",
        "b.c.d  3",
    ]


def test_without_a_terminal_each_field_is_one_line() -> None:
    assert list(VerticalLayout(None).draw(FIELDS))[1] == r"message  one two three four five six seven\n\tat line 2"


def test_matches_are_highlighted_and_context_is_dim() -> None:
    layout = VerticalLayout(80, color=True, matches=find_matches(parse_query("two")))
    assert "\x1b[1;7mtwo\x1b[0m" in "\n".join(layout.draw(FIELDS))
    assert "\x1b[1;7m" not in "\n".join(layout.draw(FIELDS, is_context=True))
