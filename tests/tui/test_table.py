import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.tui.clean import width_of
from puppylog.tui.table import TableWriter, find_columns_to_hide, fit


def drawn(rows: list[list[str]], width: int | None = None, *, bold: bool = False) -> list[str]:
    out = io.StringIO()
    TableWriter(out, ["name", "hits"], [False, True], width, bold).write(rows)
    return out.getvalue().splitlines()


def test_columns_are_aligned_and_numbers_end_below_each_other() -> None:
    assert drawn([["blog", "5"], ["日本", "1000"]]) == ["name  hits", "blog     5", "日本  1000"]


def test_no_line_ends_in_blanks() -> None:
    out = io.StringIO()
    TableWriter(out, ["a", "b"], [False, False]).write([["x", "long"], ["y", ""]])
    assert out.getvalue() == "a  b\nx  long\ny\n"


def test_without_a_terminal_nothing_is_cut() -> None:
    assert drawn([["x" * 500, "1"]])[1].startswith("x" * 500)


def test_on_a_terminal_the_widest_column_is_cut() -> None:
    lines = drawn([["x" * 500, "1"], ["blog", "123456"]], 20)
    assert lines == ["name            hits", "xxxxxxxxxxx…       1", "blog          123456"]


def test_a_table_names_the_columns_in_which_a_cell_was_cut() -> None:
    table = TableWriter(io.StringIO(), ["name", "hits"], [False, True], 20)
    table.write([["x" * 500, "1"], ["blog", "123456"]])
    assert table.cut_names == {"name"}
    table.write([["blog", "1234567"]])
    assert table.cut_names == {"name", "hits"}


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (24, ["when        what", "2015-05-17  a long text…"]),
        (20, ["when        what", "2015-05-17  a long …"]),
        (19, ["when       what", "2015-05-…  a long …"]),
    ],
)
def test_a_rigid_column_is_cut_last(width: int, lines: list[str]) -> None:
    out = io.StringIO()
    table = TableWriter(out, ["when", "what"], [False, False], width, rigid=[True, False])
    table.write([["2015-05-17", "a long text about nothing"]])
    assert out.getvalue().splitlines() == lines


def test_a_cell_is_cleaned_before_it_is_measured() -> None:
    assert drawn([["\x1b[2J", "1"]]) == ["name     hits", r"\x1b[2J     1"]


def test_a_later_block_keeps_the_widths_of_the_first() -> None:
    out = io.StringIO()
    table = TableWriter(out, ["name", "hits"], [False, True])
    table.write([["blog", "5"]])
    table.write([["a longer name", "6"]])
    assert out.getvalue().splitlines() == ["name  hits", "blog     5", "a longer name     6"]


def test_the_header_is_bold_on_request() -> None:
    assert drawn([], bold=True) == ["\x1b[1mname  hits\x1b[0m"]


@pytest.mark.parametrize(
    ("natural", "total", "widths"),
    [
        ([4, 100], 54, [4, 50]),
        ([100, 100], 50, [25, 25]),
        ([30, 100], 51, [26, 25]),
        ([4, 4], 100, [4, 4]),
        ([100, 100], 3, [8, 8]),
        ([], 10, []),
    ],
)
def test_the_widest_columns_are_narrowed_first(natural: list[int], total: int, widths: list[int]) -> None:
    assert fit(natural, total) == widths


@given(st.lists(st.text(st.characters(codec=None), max_size=60), min_size=1, max_size=5), st.integers(20, 80))
def test_no_line_is_wider_than_the_terminal(names: list[str], width: int) -> None:
    out = io.StringIO()
    TableWriter(out, ["name", "hits"], [False, True], width).write([[name, "7"] for name in names])
    assert all(width_of(line) <= width for line in out.getvalue().split("\n"))


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(1, 100), st.booleans()), min_size=1),
    st.permutations("abcdefgh"),
    st.integers(1, 300),
)
def test_columns_are_left_out_in_the_given_order_and_no_more_than_necessary(
    columns: dict[str, tuple[int, bool]], order: list[str], width: int
) -> None:
    natural = {name: cells for name, (cells, _) in columns.items()}
    rigid = [is_rigid for _, is_rigid in columns.values()]
    expendable = [name for name in order if name in columns][:-1]

    def width_without(hidden: list[str]) -> int:
        shown = [
            cells if is_rigid else min(cells, 24) for name, (cells, is_rigid) in columns.items() if name not in hidden
        ]
        return sum(shown) + 2 * (len(shown) - 1)

    hidden = find_columns_to_hide(natural, rigid, expendable, width)
    assert sorted(hidden) == sorted(expendable[: len(hidden)])
    assert width_without(hidden) <= width or len(hidden) == len(expendable)
    if hidden:
        assert width_without(expendable[: len(hidden) - 1]) > width
