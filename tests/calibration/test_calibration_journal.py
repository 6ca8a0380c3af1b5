"""Answers kept on disk: read back in order, and never those of something else."""

from contextlib import closing

import numpy as np
import pytest

from xdpl.calibration.journal import Journal
from xdpl.errors import InputErrors

POINTS = np.array([[0.1, 0.2]])


def test_answers_come_back_in_order(tmp_path):
    path = tmp_path / "a"
    with closing(Journal(path, "x")) as journal:
        assert journal.next(POINTS, 2) is None
        journal.add(POINTS, np.array([1.0, np.inf]))
        journal.add(POINTS, np.array([3.0]))
    with closing(Journal(path, "x")) as journal:
        np.testing.assert_array_equal(journal.next(POINTS, 2), [1.0, np.inf])
        np.testing.assert_array_equal(journal.next(POINTS, 1), [3.0])
        assert journal.next(POINTS, 1) is None
        journal.add(POINTS, np.array([4.0]))
    with closing(Journal(path, "x")) as journal:
        for values in ([1.0, np.inf], [3.0], [4.0]):
            np.testing.assert_array_equal(journal.next(POINTS, len(values)), values)


@pytest.mark.parametrize("cut", [1, 8, 12])
def test_half_an_answer_is_written_over(tmp_path, cut):
    path = tmp_path / "a"
    with closing(Journal(path, "x")) as journal:
        journal.add(POINTS, np.array([1.0]))
        journal.add(POINTS, np.array([2.0, 3.0]))
    path.write_bytes(path.read_bytes()[:-cut])
    with closing(Journal(path, "x")) as journal:
        np.testing.assert_array_equal(journal.next(POINTS, 1), [1.0])
        assert journal.next(POINTS, 2) is None
        journal.add(POINTS, np.array([5.0, 6.0]))
    with closing(Journal(path, "x")) as journal:
        np.testing.assert_array_equal(journal.next(POINTS, 1), [1.0])
        np.testing.assert_array_equal(journal.next(POINTS, 2), [5.0, 6.0])


@pytest.mark.parametrize("content", [None, b"", b"not ours"])
def test_a_file_of_something_else_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "a"
    if content is None:
        Journal(path, "other").close()
        content = path.read_bytes()
    else:
        path.write_bytes(content)
    with pytest.raises(InputErrors, match="checkpoint of a calibration of the same data"):
        Journal(path, "x")
    assert path.read_bytes() == content


def test_without_a_path_nothing_is_kept():
    journal = Journal(None, "x")
    journal.add(POINTS, np.array([1.0]))
    assert journal.next(POINTS, 1) is None
    journal.close()


def test_answers_to_other_points_are_refused(tmp_path):
    path = tmp_path / "a"
    with closing(Journal(path, "x")) as journal:
        journal.add(POINTS, np.array([1.0]))
    kept = path.read_bytes()
    with pytest.raises(InputErrors, match="answers to other points"):
        Journal(path, "x").next(POINTS + 1e-12, 1)
    assert path.read_bytes() == kept
