import signal
import threading

import pytest

from puppylog.stores.duckdb.client.interruptible import interruptible


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
    finally:
        answered.set()


def test_another_thread_waits_for_the_call() -> None:
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(interruptible(lambda: 7)))
    thread.start()
    thread.join(20)
    assert answers == [7]
