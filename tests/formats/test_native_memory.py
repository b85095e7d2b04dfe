"""The native readers when allocations fail, and under the sanitizers of a compiler."""

import importlib.util
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from formats.fuzz import list_targets
from formats.native_builds import (
    WITHOUT_SSE2,
    build_readers,
    build_with_sanitizers,
    find_compiler,
    load_readers,
    run_fuzzer,
)
from formats.nomemory import READER_ARGUMENTS
from puppylog.formats import native
from puppylog.formats.registry import find_format
from support.examples import IS_SOAK

_NAMES = [
    *("access", "w3c", "json", "cri", "syslog", "logfmt", "plain"),
    *("app", "klog", "apache_error", "nginx_error", "haproxy", "envoy", "postgresql", "postgresql_csv"),
]
_LAYOUT = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer"'
_INPUTS = os.environ.get("PUPPYLOG_TEST_FUZZ_INPUTS", "150")  # the number of damaged lines for each reader
_FUZZ_S = 240 + int(_INPUTS) * (len(_NAMES) + 1) / 500  # 500 lines per second at least
_COLUMNS = 40  # the blocks that a reader allocates for its columns are more
_LINES = 1500  # more than the readers first allocate memory for
_NOT_TESTED = "NOT TESTED: the native readers; there is no C compiler here"


@pytest.fixture(scope="module")
def compiler() -> str:
    found = find_compiler()
    if found is None:
        pytest.skip(_NOT_TESTED)
    return found


@pytest.fixture(scope="module")
def failing_readers(compiler: str) -> Iterator[Any]:
    """The native readers, built so that a test can make allocations fail.

    `test_native_blocks` uses the same build. It allocates as others do; the sanitizers check one with SSE2.
    """
    readers = load_readers(build_readers(compiler, *WITHOUT_SSE2))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(native, "lines", readers)
        yield readers


@pytest.fixture(scope="module")
def sanitized(compiler: str) -> tuple[Path, dict[str, str]]:
    """The native readers with sanitizers, and the environment in which Python can load them."""
    return build_with_sanitizers(compiler, partial(build_readers, compiler))


def read_rows(written: str, data: bytes) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    parsed = find_format(written).open("", 0).parse(data, 0, 0)
    return parsed.records.to_pylist(), parsed.rejects.to_pylist()


@pytest.mark.sampled
@pytest.mark.parametrize(
    "name",
    [*(name for name in _NAMES if name != "w3c"), "log_format", "w3c: date time c-ip"],
)
def test_every_allocation_that_fails_is_a_memory_error_and_leaks_nothing(failing_readers: Any, name: str) -> None:
    readers = failing_readers
    written, lines = (name, [b'2026-11-27 10:00:00 "::1"']) if name.startswith("w3c") else list_targets(name)[0]
    data = b"".join(line.replace(b"\n", b" ") + b"\n" for line in (lines * _LINES)[:_LINES])
    wanted = read_rows(written, data)
    successes = 0
    found = None
    while found is None:
        assert readers.count_blocks() == 0
        readers.fail_allocation_after(successes)
        try:
            found = read_rows(written, data)
        except MemoryError:
            # The first allocate the columns, the others let columns grow: of these, `make test` lets each seventh fail.
            successes += 1 if IS_SOAK or successes < _COLUMNS else 7
        finally:
            readers.fail_allocation_after(-1)
    assert readers.count_blocks() == 0
    assert successes > _COLUMNS
    assert found == wanted


@pytest.mark.parametrize("name", [*(name for name in _NAMES if name != "w3c"), "layout"])
def test_a_text_without_a_last_newline_is_refused(failing_readers: Any, name: str) -> None:
    arguments = READER_ARGUMENTS.get(name, ())
    for text in (b"x", b"a\nb", b"\n ", b"\x00"):
        with pytest.raises(ValueError, match="has no newline"):
            getattr(failing_readers, name)(text, *arguments)
    assert getattr(failing_readers, name)(b"", *arguments)


def test_every_allocation_of_python_that_fails_is_a_memory_error_and_leaks_nothing(compiler: str) -> None:
    if importlib.util.find_spec("_testcapi") is None:
        pytest.skip("NOT TESTED: Python's allocations that fail; this Python has no module _testcapi")
    readers = build_readers(compiler, *WITHOUT_SSE2)
    names = [*(name for name in _NAMES if name != "w3c"), "layout"]
    printed = run_fuzzer("formats.nomemory", str(readers), *names, environment=os.environ, timeout_s=60)
    failures = {name: int(count) for name, count in map(str.split, printed.splitlines())}
    assert list(failures) == names
    assert min(failures.values()) > 40  # Python allocates an object for each block of memory


@pytest.mark.timeout(_FUZZ_S + 60)
def test_sanitizers_find_nothing_in_damaged_lines(sanitized: tuple[Path, dict[str, str]]) -> None:
    """The sanitizers check addresses and undefined behaviour, also while allocations fail."""
    readers, environment = sanitized
    names = [*_NAMES, _LAYOUT]
    options = ["--inputs", _INPUTS, "--readers", str(readers), "--failures", "--samples", "log_format"]
    printed = run_fuzzer("formats.fuzz", *options, "--", *names, environment=environment, timeout_s=_FUZZ_S)
    assert printed.count("inputs, none of them lost") == len(names)
