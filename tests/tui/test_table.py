import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.tui.clean import width_of
from puppylog.tui.table import TableWriter, fit, hide_columns


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


def test_a_table_remembers_the_columns_in_which_a_cell_was_cut() -> None:
    table = TableWriter(io.StringIO(), ["name", "hits"], [False, True], 20)
    table.write([["x" * 500, "1"], ["blog", "123456"]])
    assert table.cut_columns == {0}
    table.write([["blog", "1234567"]])
    assert table.cut_columns == {0, 1}


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (40, ["when        what", "2015-05-17  a long text about nothing"]),
        (24, ["when        what", "2015-05-17  a long text…"]),
        (19, ["when", "2015-05-17"]),
        (9, ["when", "2015-05-17"]),
    ],
)
def test_a_rigid_column_is_never_cut(width: int, lines: list[str]) -> None:
    out = io.StringIO()
    table = TableWriter(out, ["when", "what"], [False, False], width, rigid=[True, False])
    table.write([["2015-05-17", "a long text about nothing"]])
    assert out.getvalue().splitlines() == lines


def test_a_number_of_a_later_block_is_written_whole() -> None:
    out = io.StringIO()
    table = TableWriter(out, ["name", "hits"], [False, True], 14, rigid=[False, True], expendable=())
    table.write([["a long name", "5"]])
    table.write([["a", "1234567"]])
    assert out.getvalue().splitlines()[-1] == "a         1234567"


@pytest.mark.parametrize(
    ("width", "hidden", "header"),
    [
        (99, [], "name  group  rule                             last"),
        (30, [1], "name  rule               last"),
        (20, [1, 3], "name  rule"),
    ],
)
def test_columns_are_left_out_in_the_given_order(width: int, hidden: list[int], header: str) -> None:
    out = io.StringIO()
    names = ["name", "group", "rule", "last"]
    table = TableWriter(out, names, [False] * 4, width, wrapped={2}, expendable=[1, 3, 2])
    table.write([["blog", "shop", "a rule that needs several words", "12:30"]])
    assert table.hidden == hidden
    assert out.getvalue().splitlines()[0] == header


def test_without_an_order_the_last_columns_are_left_out_first() -> None:
    table = TableWriter(io.StringIO(), ["a", "b", "c"], [False] * 3, 22)
    table.write([["x" * 10] * 3])
    assert table.hidden == [2]


def test_a_column_without_a_value_is_left_out_first_and_is_no_loss() -> None:
    out = io.StringIO()
    table = TableWriter(out, ["a", "segment", "c"], [False] * 3, 22, expendable=[2, 1])
    table.write([["x" * 10, "-", "y" * 10], ["x", "", "y"]])
    assert (table.hidden, out.getvalue().splitlines()[0]) == ([], "a           c")


def test_a_table_for_a_terminal_has_no_expendable_column_without_a_value() -> None:
    out = io.StringIO()
    table = TableWriter(out, ["a", "group", "c"], [False] * 3, 80, expendable=[1])
    table.write([["x", "-", "y"]])
    table.write([["x", "shop", "y"]])
    assert (table.hidden, out.getvalue()) == ([1], "a  c\nx  y\nx  y\n")


def test_columns_of_the_same_name_are_told_apart() -> None:
    table = TableWriter(io.StringIO(), ["a", "a", "a"], [False] * 3, 22)
    table.write([["x" * 10] * 3])
    assert table.hidden == [2]


def test_a_sentence_is_wrapped_below_its_heading() -> None:
    out = io.StringIO()
    table = TableWriter(out, ["name", "rule", "hits"], [False, False, True], 28, wrapped={1})
    table.write([["blog", "mean over 2m is above 10", "7"], ["shop", "never", "8"]])
    assert out.getvalue().splitlines() == [
        "name  rule              hits",
        "blog  mean over 2m is      7",
        "      above 10",
        "shop  never                8",
    ]


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
        ([4, 100], 5, [4, 8]),
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
    st.lists(st.tuples(st.integers(1, 100), st.booleans()), min_size=1, max_size=8),
    st.permutations(range(8)),
    st.integers(1, 300),
)
def test_no_more_columns_are_left_out_than_necessary(
    columns: list[tuple[int, bool]], order: list[int], width: int
) -> None:
    least = [cells for cells, _ in columns]
    order = [at for at in order if at < len(columns)][:-1]
    kept = {at for at, (_, is_gone) in enumerate(columns) if is_gone and at in order}

    def width_without(gone: set[int]) -> int:
        shown = [cells for at, cells in enumerate(least) if at not in gone]
        return sum(shown) + 2 * (len(shown) - 1)

    hidden = hide_columns(least, order, width, kept)
    assert kept <= hidden <= kept | set(order)
    assert width_without(hidden) <= width or hidden == set(order) | kept
    if hidden > kept:
        last = max(hidden - kept, key=order.index)
        assert width_without(hidden - {last}) > width


@given(
    st.lists(st.tuples(st.text(st.sampled_from("ab -/日")), st.integers(-(10**9), 10**9)), min_size=1),
    st.integers(12, 60),
)
def test_a_number_is_whole_in_a_terminal_of_any_width(rows: list[tuple[str, int]], width: int) -> None:
    out = io.StringIO()
    table = TableWriter(out, ["what", "hits"], [False, True], width, rigid=[False, True])
    table.write([[text, str(number)] for text, number in rows])
    lines = out.getvalue().splitlines()[1:]
    if table.hidden != [1]:
        assert [line.split()[-1] for line in lines] == [str(number) for _, number in rows]
