import gc
import threading

import numpy as np
import pytest

from xdpl.calibration.optimisers.callback import Conversation

POINTS = np.arange(6.0).reshape(3, 2)


@pytest.fixture(autouse=True)
def no_threads_left():
    before = set(threading.enumerate())
    yield
    gc.collect()
    assert set(threading.enumerate()) <= before


def test_solver_is_asked_and_told():
    heard = []

    def solve(function):
        heard.append(function(POINTS))
        heard.append(function(POINTS + 1.0))

    talk = Conversation(solve)
    np.testing.assert_array_equal(talk.listen(), POINTS)
    talk.answer(np.ones(3))
    np.testing.assert_array_equal(talk.listen(), POINTS + 1.0)
    talk.answer(np.zeros(3))
    assert talk.listen() is None
    np.testing.assert_array_equal(heard, [np.ones(3), np.zeros(3)])


def test_closed_the_solver_ends_where_it_waits():
    ended = []

    def solve(function):
        try:
            # A library that catches what its function raises.
            try:
                function(POINTS)
            except Exception:
                ended.append("caught")
        finally:
            ended.append("end")

    talk = Conversation(solve)
    talk.listen()
    talk.close()
    assert ended == ["end"]
    talk.close()


def test_let_go_the_solver_ends():
    talk = Conversation(lambda function: function(POINTS))
    thread = talk._thread
    assert thread.is_alive()
    del talk
    gc.collect()
    assert not thread.is_alive()


def test_error_of_the_solver_is_raised_where_it_is_heard():
    def solve(function):
        function(POINTS)
        message = "too few points"
        raise RuntimeError(message)

    talk = Conversation(solve)
    talk.listen()
    talk.answer(np.zeros(3))
    with pytest.raises(RuntimeError, match="too few points"):
        talk.listen()
