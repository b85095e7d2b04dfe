"""Writes the screens of the pages: ``python -m screens``, in the folder ``tests``."""

from pathlib import Path
from typing import Final

from screens.page import write_page
from screens.screens import iter_screens

_DOCS: Final = Path(__file__).resolve().parents[2] / "docs"


def main() -> None:
    """Replace docs/screens.md and the files in docs/screens."""
    folder = _DOCS / "screens"
    folder.mkdir(exist_ok=True)
    screens = list(iter_screens())
    for old in folder.glob("*.txt"):
        old.unlink()
    for screen in screens:
        (folder / screen.file_name).write_text(screen.text, encoding="utf-8")
    (_DOCS / "screens.md").write_text(write_page(screens), encoding="utf-8")


if __name__ == "__main__":
    main()
