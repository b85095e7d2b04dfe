"""A command gets the message in its environment and on its standard input, and is killed when it takes too long."""

import json
import os
import signal
import stat
import threading
import time
from pathlib import Path

import pytest

from puppylog.errors import DeliveryFailed
from puppylog.notify.contact import Delivery
from puppylog.notify.contacts import exec as exec_module
from puppylog.notify.contacts.exec import Exec
from support.embedded import wait_until
from support.messages import ONE


def write_script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def run(*command: str, seconds: float = 10.0, timeout_s: float = 30.0) -> str:
    contact = Exec(name="ops", command=command, timeout_s=timeout_s)
    environ = {"PATH": os.environ["PATH"], "SLACK_URL": "hunter2"}
    return contact.send(ONE, Delivery(time.monotonic() + seconds, environ=environ))


def failure(*command: str, seconds: float = 10.0, timeout_s: float = 30.0) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        run(*command, seconds=seconds, timeout_s=timeout_s)
    return caught.value


def test_a_command_gets_the_fields_and_the_payload_and_no_secret_of_another_contact(tmp_path: Path) -> None:
    script = write_script(tmp_path / "tell", f'env > "{tmp_path}/env"; cat > "{tmp_path}/json"; echo "told $1"')
    assert run(script, "a b; echo $HOME") == "exit code 0: told a b; echo $HOME"
    lines = (tmp_path / "env").read_text().splitlines()
    assert "PUPPYLOG_ALERT=errors" in lines
    assert "PUPPYLOG_ALERT_KIND=firing" in lines
    assert "PUPPYLOG_ALERT_VALUE=12.5" in lines
    assert not any("hunter2" in line for line in lines)
    payload = json.loads((tmp_path / "json").read_text())
    assert (payload["version"], payload["receiver"], payload["status"]) == ("4", "ops", "firing")


def test_a_command_that_fails_is_run_again_later(tmp_path: Path) -> None:
    error = failure(write_script(tmp_path / "fail", "echo; printf 'no \\033[31mroute\\nmore' >&2; exit 3"))
    assert error.message == (
        r"cannot send the message to contact 'ops': the command ended with exit code 3, and said: no \x1b[31mroute"
    )
    assert not error.is_final


def test_a_command_that_does_not_start_is_final(tmp_path: Path) -> None:
    error = failure(str(tmp_path / "missing"))
    assert (error.cause, error.is_final) == ("the command does not start: no such file or directory", True)
    (tmp_path / "plain").write_text("x")
    assert failure(str(tmp_path / "plain")).cause == "the command does not start: permission denied"
    assert failure("a\x00b").is_final
    assert failure().is_final


@pytest.mark.parametrize(("seconds", "timeout_s"), [(10.0, 0.3), (0.3, 30.0)], ids=["its own", "of the delivery"])
def test_a_command_and_its_children_are_killed_at_the_deadline(
    tmp_path: Path, seconds: float, timeout_s: float
) -> None:
    script = write_script(tmp_path / "hang", f'sleep 60 & echo $! > "{tmp_path}/child"; echo begun; sleep 60')
    began = time.monotonic()
    error = failure(script, seconds=seconds, timeout_s=timeout_s)
    assert time.monotonic() - began < 5
    assert error.cause == "the command did not end in time, and was killed, and said: begun"
    assert not error.is_final
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 10
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(child)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_that_is_left_behind_does_not_hold_up_the_message(tmp_path: Path) -> None:
    script = write_script(tmp_path / "leave", f'sleep 60 & echo $! > "{tmp_path}/child"; echo told')
    began = time.monotonic()
    try:
        assert run(script) == "exit code 0: told"
        assert time.monotonic() - began < 5
    finally:
        os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


def test_much_output_is_read_and_forgotten(tmp_path: Path) -> None:
    script = write_script(tmp_path / "talk", "head -c 1000000 /dev/zero | tr '\\0' 'x'")
    assert run(script).startswith("exit code 0: xxx")


def test_a_command_that_cannot_be_killed_does_not_hold_up_the_sender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that runs as another user."""

    def refuse(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    script = write_script(tmp_path / "hang", f'echo $$ > "{tmp_path}/pid"; exec sleep 5')
    with monkeypatch.context() as patched:
        patched.setattr(os, "killpg", refuse)
        patched.setattr(exec_module, "_KILLED_WITHIN_S", 0.1)
        began = time.monotonic()
        error = failure(script, seconds=0.5)
        assert time.monotonic() - began < 4
    assert error.cause.startswith("the command did not end in time, and was killed")
    pid = int((tmp_path / "pid").read_text())
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: "puppylog-exec" not in {one.name for one in threading.enumerate()}, what="its end")
