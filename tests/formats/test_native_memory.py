"""The native readers when memory runs out, and under the sanitizers of a compiler."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from formats.fuzz import list_targets
from formats.native_builds import build_readers, find_compiler, load_readers
from puppylog.formats import native
from puppylog.formats.registry import find_format

_NAMES = ["access", "w3c", "json", "cri", "syslog", "logfmt", "plain"]
_LINES = 1500  # more than the readers make room for at first
_NOT_TESTED = "NOT TESTED: the native readers; there is no C compiler here"


@pytest.fixture(scope="module")
def compiler() -> str:
    found = find_compiler()
    if found is None:
        pytest.skip(_NOT_TESTED)
    return found


@pytest.fixture(scope="module")
def failing_readers(compiler: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The native readers with allocations that fail when they are told to."""
    readers = load_readers(build_readers(compiler, tmp_path_factory.mktemp("native"), "-O1"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(native, "lines", readers)
        yield readers


def read_rows(written: str, data: bytes) -> tuple[list[object], list[object]]:
    parsed = find_format(written).open("", 0).parse(data, 0, 0)
    return parsed.records.to_pylist(), parsed.rejects.to_pylist()


@pytest.mark.parametrize(
    "name", ["access", "json", "cri", "syslog", "logfmt", "plain", "log_format", "w3c: date time c-ip"]
)
def test_every_allocation_that_fails_is_a_memory_error_and_leaks_nothing(failing_readers: Any, name: str) -> None:
    readers = failing_readers
    written, lines = (name, [b'2026-11-27 10:00:00 "::1"']) if name.startswith("w3c") else list_targets(name)[0]
    data = b"".join(line.replace(b"\n", b" ") + b"\n" for line in (lines * _LINES)[:_LINES])
    wanted = read_rows(written, data)
    failures = 0
    found = None
    while found is None:
        assert readers.count_blocks() == 0
        readers.fail_allocation_after(failures)
        try:
            found = read_rows(written, data)
        except MemoryError:
            failures += 1
        finally:
            readers.fail_allocation_after(-1)
    assert readers.count_blocks() == 0
    assert failures > 40  # the columns alone are more
    assert found == wanted


@pytest.mark.parametrize("name", ["access", "json", "logfmt", "cri", "layout", "plain", "syslog"])
def test_a_text_without_a_last_newline_is_refused(failing_readers: Any, name: str) -> None:
    more = {"access": (0,), "json": (b"",), "logfmt": (b"",), "syslog": (2026, 11, 27)}
    more["layout"] = (b"", (), False, False, 0, 0, 0)
    for text in (b"x", b"a\nb", b"\n ", b"\x00"):
        with pytest.raises(ValueError, match="has no newline"):
            getattr(failing_readers, name)(text, *more.get(name, ()))
    assert getattr(failing_readers, name)(b"", *more.get(name, ()))


def test_sanitizers_find_nothing_in_damaged_lines(compiler: str, tmp_path: Path) -> None:
    """Addresses and undefined behaviour, with allocations that fail; ``formats.fuzz`` does the same by the million."""
    runtime = subprocess.run([compiler, "-print-file-name=libasan.so"], check=True, capture_output=True, text=True)
    try:
        flags = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
        readers = build_readers(compiler, tmp_path, *flags)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"NOT TESTED: sanitizers; {compiler} cannot build with them: {error.stderr.splitlines()[-1:]}")
    if not Path(runtime.stdout.strip()).is_absolute():
        pytest.skip(f"NOT TESTED: sanitizers; {compiler} has no library to preload")
    done = subprocess.run(
        [sys.executable, "-m", "formats.fuzz", *_NAMES, "--inputs", "300", "--readers", readers, "--failures"],
        cwd=Path(__file__).parent.parent,
        # Python itself keeps memory until it ends: what the readers leak is counted by themselves, above.
        env={**os.environ, "LD_PRELOAD": runtime.stdout.strip(), "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    assert done.stdout.count("300 inputs, none of them lost") == len(_NAMES)
