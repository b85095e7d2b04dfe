"""The browser that all tests of the page in one process share. It is Debian's Chromium.

A start of Chromium, of playwright's process, and of the process of the first page takes 3 s of CPU time.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from playwright.sync_api import Browser, sync_playwright

# The page draws nothing in 3D, and all that a test opens is of one server: neither a process that imitates a graphics
# processor nor several processes for pages are needed. That saves a tenth of the CPU time.
_OPTIONS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-gpu-compositing",
    "--disable-software-rasterizer",
    "--disable-site-isolation-trials",
    "--renderer-process-limit=1",
)


class Chromium:
    """A browser that runs. Usable with ``with``: afterwards it has ended.

    Playwright runs an event loop in the thread that started it, and the thread counts as a thread with a running loop
    between playwright's calls, too. Other tests run loops of their own in it, so the thread is playwright's only within
    `in_use`.
    """

    def __init__(self, executable: Path) -> None:
        """Prepare.

        Args:
            executable: Chromium.
        """
        self._executable = executable
        self._playwright = sync_playwright()
        self._loop: asyncio.AbstractEventLoop
        self._browser: Browser

    @contextmanager
    def in_use(self) -> Iterator[Browser]:
        """Let the block use the browser. Blocks may not be nested."""
        asyncio._set_running_loop(self._loop)
        try:
            yield self._browser
        finally:
            asyncio._set_running_loop(None)

    def __enter__(self) -> Self:
        playwright = self._playwright.__enter__()
        self._browser = playwright.chromium.launch(executable_path=self._executable, args=list(_OPTIONS))
        self._loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self.in_use():
            self._browser.close()
            self._playwright.__exit__(kind, error, at)
