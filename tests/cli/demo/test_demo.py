"""The demo as people run it: in its own process, with real commands in others."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.embedded import wait_until


@contextmanager
def demo(directory: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    environ = {**os.environ, "TMPDIR": str(directory)}
    command = [sys.executable, "-m", "puppylog", "demo", *options]
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def list_processes_of(directory: Path) -> list[str]:
    found = []
    for status in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = status.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            where = str(status.with_name("cwd").readlink())
        except OSError:  # it has ended meanwhile
            continue
        if str(directory) in command + where:
            found.append(command)
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    """Yield a directory for temporary files; afterwards check that it is empty and that no process runs in it."""
    # Not pytest's tmp_path: it is too long for a socket, and the link used instead outlives a killed collector.
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        directory = Path(name)
        yield directory
        wait_until(lambda: list_processes_of(directory) == [], what="the end of every process")
        assert list(directory.iterdir()) == []


@pytest.mark.long
def test_the_demo_loses_no_line_within_a_minute_and_with_keep_continues_until_interrupted(place: Path) -> None:
    started = time.monotonic()
    output = []
    with demo(place, "--keep") as process:
        assert process.stdout is not None
        for line in process.stdout:
            output.append(line)
            if line.startswith("or write to"):
                break
        # The demo promises a minute; a machine that runs other tests at the same time may need longer.
        assert time.monotonic() - started < 150
        (log,) = place.glob("*/access.log")
        size_bytes = log.stat().st_size
        wait_until(lambda: log.stat().st_size > size_bytes, what="more traffic")
        process.send_signal(signal.SIGINT)
        output += process.communicate(timeout=60)[0]
    text = "".join(output)
    assert process.returncode == 0, text
    assert "Everything is there, and nothing twice." in text
    assert re.search(r"^alert rush +fired, recovered +fired, recovered$", text, re.MULTILINE)
    assert re.search(r"^lines stored twice +0 +0$", text, re.MULTILINE)
    assert re.search(r"observe \| .*rush", text)
    assert "\x1b" not in text


# One handler serves the three signals. That it is installed for the other two is tested in `make soak`.
@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.thorough),
        pytest.param(signal.SIGHUP, marks=pytest.mark.thorough),
    ],
)
def test_an_interrupted_demo_leaves_no_files_and_no_processes(place: Path, number: signal.Signals) -> None:
    with demo(place) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "collector" in line:
                break
        process.send_signal(number)
        process.communicate(timeout=60)
    assert process.returncode == 130
