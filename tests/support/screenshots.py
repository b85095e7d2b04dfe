"""Takes the pictures of the page in docs/images: ``python -m support.screenshots``, in the folder ``tests``.

The logs are those of `support.shop_traffic`, so the pictures differ from those before by their times only.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Literal

from playwright.sync_api import Browser, sync_playwright

from support.page import open_page
from support.served_shop import served_shop

_IMAGES: Final = Path(__file__).resolve().parents[2] / "docs" / "images"
_MAX_BYTES: Final = 300_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the page: its name, the address, and the window."""

    name: str
    address: str
    awaited: str  # a CSS selector of what is there when the answer is
    width: int = 1280
    height: int = 800
    theme: Literal["light", "dark"] = "light"


_SEARCH: Final = "#/search?since=6h"
_ERRORS: Final = "#/search?since=6h&q=status_code>=500"

PICTURES: Final = (
    Picture("search-1280-light", _SEARCH, "text=request_route"),
    Picture("search-1280-dark", _ERRORS, "text=request_route", theme="dark"),
    Picture("search-360-light", _SEARCH, "text=payment of order", 360, 740),
    Picture("search-360-dark", _SEARCH, "text=payment of order", 360, 740, "dark"),
    Picture("search-2560-light", _SEARCH, "text=request_route", 2560, 780),
    Picture("search-2560-dark", _SEARCH, "text=request_route", 2560, 780, "dark"),
    Picture("alerts-1280-light", "#/alerts/shop_fails?since=6h", "canvas"),
    Picture("metrics-1280-dark", "#/metrics/p95_request_time?since=6h", "canvas", theme="dark"),
    Picture("streams-1280-light", "#/streams", "text=lines:///nginx", 1280, 400),
    Picture("rejects-1280-light", "#/rejects", "mark.misfit", 1280, 640),
    Picture("sql-1280-dark", "#/sql?sql={sql}&run=1", ".sql-result td", theme="dark"),
)

_SQL: Final = """select date_trunc('minute', ts) as minute,
  count(*) as requests,
  count(*) filter (where status_code >= 500) as failed
from log_records
where status_code is not null
group by 1
order by 1"""


def main() -> None:
    """Replace the pictures whose names are given, or all of them."""
    wanted = [picture for picture in PICTURES if picture.name in sys.argv[1:]] or list(PICTURES)
    _IMAGES.mkdir(exist_ok=True)
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Debian's package chromium is not installed")
    with TemporaryDirectory() as folder, served_shop(Path(folder)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for picture in wanted:
            _take(picture, browser, url)
        browser.close()


def _take(picture: Picture, browser: Browser, url: str) -> None:
    faults: list[str] = []
    viewport = {"width": picture.width, "height": picture.height}
    with open_page(browser, url, faults, viewport=viewport, color_scheme=picture.theme) as page:
        sql = _SQL.replace("\n", "%0A").replace(">", "%3E")
        page.goto("/" + picture.address.replace("{sql}", sql))
        page.locator(picture.awaited).first.wait_for()
        page.wait_for_load_state("networkidle")
        path = _IMAGES / f"{picture.name}.png"
        page.screenshot(path=path, animations="disabled")
    size = path.stat().st_size
    sys.stdout.write(f"{path.name}: {size:,} bytes\n")
    if faults or size >= _MAX_BYTES:
        sys.exit(f"{path.name} is larger than {_MAX_BYTES:,} bytes, or the browser complains: {faults}")


if __name__ == "__main__":
    main()
