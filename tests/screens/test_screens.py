"""The screens in the pages are what the commands show."""

from pathlib import Path

from puppylog.tui.clean import width_of
from screens.page import write_page
from screens.screens import iter_screens

DOCS = Path(__file__).resolve().parents[2] / "docs"
ADVICE = "run `python -m screens` in the folder tests, and read the difference"
# Commands to copy and messages may be longer than a line. The terminal wraps them.
WRAPPED = ("$ puppylog ", "puppylog ", "puppylog: ")


def test_the_screens_in_the_pages_are_what_the_commands_show() -> None:
    screens = list(iter_screens())
    for screen in screens:
        assert screen.text == (DOCS / "screens" / screen.file_name).read_text(encoding="utf-8"), ADVICE
        too_wide = [line for line in screen.text.splitlines() if width_of(line) > screen.columns]
        assert [line for line in too_wide if not line.startswith(WRAPPED)] == [], screen.file_name
        assert [line for line in screen.text.splitlines() if line != line.rstrip()] == [], screen.file_name
    assert (DOCS / "screens.md").read_text(encoding="utf-8") == write_page(screens), ADVICE
    assert {path.name for path in (DOCS / "screens").iterdir()} == {screen.file_name for screen in screens}
