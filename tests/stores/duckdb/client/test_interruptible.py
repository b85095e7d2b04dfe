import signal
import threading
import weakref

import pytest

from puppylog.stores.duckdb.client.interruptible import interruptible
from support.embedded import wait_until


def test_the_answer_of_the_call_is_returned() -> None:
    assert interruptible(lambda: 7) == 7


def test_the_error_of_the_call_is_raised() -> None:
    def fail() -> None:
        raise ValueError("the cause")

    with pytest.raises(ValueError, match="the cause"):
        interruptible(fail)


def test_an_interrupt_that_another_thread_receives_ends_the_waiting() -> None:
    """The system may deliver a signal to any thread, and then the signal does not wake the main thread."""
    answered = threading.Event()
    ended: list[bool] = []

    def interrupt_and_wait() -> None:
        answered.wait(0.2)  # meanwhile the main thread starts to wait; if it starts later, the test proves nothing
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        ended.append(answered.wait(10))

    try:
        with pytest.raises(KeyboardInterrupt):
            interruptible(interrupt_and_wait)
        assert ended == []  # the interrupt did not wait for the end of the call
        assert interruptible(lambda: 7) == 7  # and neither does the next call
    finally:
        answered.set()


def test_another_thread_waits_for_the_call() -> None:
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(interruptible(lambda: 7)))
    thread.start()
    thread.join(20)
    assert answers == [7]


def test_calls_share_a_thread() -> None:
    threads = [interruptible(threading.get_native_id) for _ in range(5)]
    assert threads == threads[:1] * 5
    assert threads[0] != threading.get_native_id()


def test_an_answer_is_not_kept_after_the_call() -> None:
    class Answer:
        pass

    answer = weakref.ref(interruptible(Answer))
    wait_until(lambda: answer() is None, what="the end of the answer")


def test_a_call_within_the_handler_of_a_signal_has_a_thread_of_its_own() -> None:
    """The main thread handles a signal while it waits for a call."""
    answers: list[int] = []
    answered = threading.Event()

    def handle(*_: object) -> None:
        answers.append(interruptible(lambda: 7))
        answered.set()

    def interrupt_and_wait() -> bool:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        return answered.wait(10)

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        assert interruptible(interrupt_and_wait)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert answers == [7]
    assert interruptible(lambda: 8) == 8
