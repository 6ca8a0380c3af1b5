"""One error lists every problem of a call."""

import pickle

import pytest
import xarray as xr

from xdpl.errors import InputError, InputErrors, Problems, short


def collected():
    problems = Problems("simulate('vic')")
    problems.add("precipitation", expected="units", got="none", fix="give it units")
    problems.add("time", expected="dates", got="numbers", fix="assign dates")
    return problems


def test_lists_every_problem():
    with pytest.raises(InputErrors) as caught:
        collected().raise_if_any()
    assert str(caught.value).startswith(
        "simulate('vic') cannot run:"
        "\n  - precipitation: expected units, got none; fix: give it units"
        "\n  - time: expected dates, got numbers; fix: assign dates"
    )
    assert [e.subject for e in caught.value.exceptions] == ["precipitation", "time"]


def test_no_problem_no_error():
    Problems("simulate").raise_if_any()


def test_is_a_value_error_and_an_exception_group():
    with pytest.raises(ValueError, match="cannot run"):
        collected().raise_all()
    caught = []
    try:
        collected().raise_all()
    except* InputError as group:
        caught = list(group.exceptions)
    assert len(caught) == 2


def test_splitting_keeps_the_class():
    with pytest.raises(InputErrors) as caught:
        collected().raise_all()
    part = caught.value.subgroup(lambda e: getattr(e, "subject", "") == "time")
    assert type(part) is InputErrors
    assert [e.got for e in part.exceptions] == ["numbers"]


def test_pickles():
    """Errors travel between the processes of a cluster."""
    error = pickle.loads(pickle.dumps(collected().found[0]))
    assert (error.subject, error.expected, error.got, error.fix) == (
        "precipitation",
        "units",
        "none",
        "give it units",
    )
    with pytest.raises(InputErrors) as caught:
        collected().raise_all()
    group = pickle.loads(pickle.dumps(caught.value))
    assert type(group) is InputErrors
    assert str(group) == str(caught.value)
    assert str(group.exceptions[1]) == str(caught.value.exceptions[1])


def test_short_shows_the_first_line():
    assert short(3) == "3"
    assert short("a\nb") == "'a\\nb'"
    ds = xr.Dataset({"a": 1.0})
    assert short(ds) == f"{repr(ds).splitlines()[0]} …"
    assert short(list(range(1000))) == repr(list(range(1000)))[:120].rstrip() + " …"
