import os
import signal
import subprocess
from pathlib import Path

import pytest

from puppylog.cli.signals import Signals
from puppylog.errors import StoreUnavailable
from support.embedded import wait_until
from support.warm_commands import start_program


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_sets_stop_and_the_old_handlers_are_restored(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Signals() as signals:
        os.kill(os.getpid(), number)
        assert signals.stop.wait(60)
    assert signal.getsignal(number) is before


def test_a_second_sigint_ends_the_process_at_once() -> None:
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        assert signals.stop.wait(60)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_second_sigterm_does_not_end_the_process_at_once() -> None:
    with Signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.stop.wait(60)
        signal.raise_signal(signal.SIGTERM)


def test_sighup_requests_a_restart_from_a_caller_that_can_restart() -> None:
    with Signals(can_restart=True) as signals:
        assert not signals.take_restart_request()
        os.kill(os.getpid(), signal.SIGHUP)
        assert signals.stop.wait(60)
        assert signals.take_restart_request()
        assert not signals.stop.is_set()
        assert not signals.take_restart_request()


@pytest.mark.parametrize("order", [(signal.SIGHUP, signal.SIGTERM), (signal.SIGTERM, signal.SIGHUP)])
def test_a_request_to_end_counts_more_than_a_request_to_restart(order: tuple[signal.Signals, ...]) -> None:
    with Signals(can_restart=True) as signals:
        for number in order:
            signal.raise_signal(number)
        wait_until(lambda: signals._is_ending and signals._wants_restart, what="both signals")
        assert not signals.take_restart_request()
        assert signals.stop.is_set()


def test_sighup_keeps_its_default_for_a_caller_that_cannot_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGHUP)
    with Signals():
        assert signal.getsignal(signal.SIGHUP) is before
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with Signals(can_restart=True):
        assert signal.getsignal(signal.SIGHUP) is before


@pytest.mark.timeout(60)
def test_a_signal_is_acted_on_although_the_main_thread_holds_the_lock_of_stop() -> None:
    with Signals() as signals:
        with signals.stop._cond:  # type: ignore[attr-defined]  # not in typeshed, because it is private
            signal.raise_signal(signal.SIGTERM)
        assert signals.stop.wait(60)


@pytest.mark.timeout(60)
def test_a_process_whose_main_thread_runs_no_handler_ends_after_sigterm(tmp_path: Path) -> None:
    program = """
import ctypes, threading
from puppylog.cli import signals
signals._STOP_TIMEOUT_S = 0.2
with signals.Signals():
    threading.Timer(0.5, print, ["ready"], {"flush": True}).start()  # when the main thread waits below
    mutex = ctypes.create_string_buffer(64)
    for _ in range(2):
        ctypes.CDLL(None).pthread_mutex_lock(mutex)  # the second call never returns
"""
    with (tmp_path / "err").open("wb") as talk:
        process = start_program(program, stdout=subprocess.PIPE, stderr=talk, env=dict(os.environ))
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == StoreUnavailable.exit_code
    assert "nothing is lost" in (tmp_path / "err").read_text()
