"""Ctrl-C held back: real signals to this process."""

import os
import signal
import threading

import pytest

from sentiment_lstm.interrupts import held_back


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_the_work_is_done_before_a_first_ctrl_c_is_heard():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        press()
        done.append("first")
        done.append("last")
    assert done == ["first", "last"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_ends_the_work_at_once():
    done = []
    with pytest.raises(KeyboardInterrupt), held_back():
        press()
        done.append("first")
        press()
        done.append("last")
    assert done == ["first"]


def test_without_ctrl_c_nothing_is_raised():
    with held_back():
        pass
    with pytest.raises(ZeroDivisionError), held_back():
        _ = 1 / 0
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_threads_work_and_another_handler_are_left_alone(monkeypatch):
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append("theirs"))
    try:
        with held_back():
            press()
            assert heard == ["theirs"]
    finally:
        signal.signal(signal.SIGINT, before)
    thread = threading.Thread(target=held_back().__enter__)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
