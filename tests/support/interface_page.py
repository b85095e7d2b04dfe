"""The list of resources in ``docs/api.md``, made from the OpenAPI document.

``PYTHONPATH=tests python -m support.interface_page`` writes it again.
"""

from pathlib import Path

from puppylog.serve.read.routes import describe

PAGE = Path(__file__).parents[2] / "docs" / "api.md"

_START = "python -m support.interface_page -->\n"
_END = "<!-- end -->"


def make_list() -> str:
    """Return a table with a row for each method and path."""
    rows = [
        f"| {method.upper()} | `{path.removeprefix('/api/v1/')}` | {operation['summary']} |"
        for path, methods in describe()["paths"].items()
        for method, operation in methods.items()
    ]
    return "\n".join(["| | path below `/api/v1/` | it answers |", "|---|---|---|", *rows, ""])


def with_list(page: str) -> str:
    """Return the text of the page with the list of today."""
    before, _, rest = page.partition(_START)
    after = rest.partition(_END)[2]
    return f"{before}{_START}{make_list()}{_END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_list(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
