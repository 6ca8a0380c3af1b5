"""The accessor is only a door to the functions."""

import inspect
import pickle

import pytest
import xarray as xr
from model_cases import weather

import xdpl
from xdpl.accessor import DplAccessor

METHODS = [name for name in vars(DplAccessor) if not name.startswith("_")]


def test_one_slot_and_no_state():
    assert DplAccessor.__slots__ == ("_obj",)
    ds = weather()
    assert not hasattr(ds.dpl, "__dict__")
    assert ds.dpl._obj is ds
    with pytest.raises(AttributeError):
        ds.dpl.cache = 1


def test_methods_are_the_functions():
    assert {"check", "learn", "pet", "simulate"} <= set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_signature_and_docstring(name):
    function = getattr(xdpl, name)
    method = getattr(weather().dpl, name)
    first, *rest = inspect.signature(function).parameters.values()
    assert first.name == "ds"
    assert list(inspect.signature(method).parameters.values()) == rest
    assert method.__doc__ == function.__doc__
    assert method.__name__ == name
    assert inspect.getdoc(function)


def test_same_result_as_the_function():
    ds = weather()
    theta = {"ksat": 90.0}
    xr.testing.assert_equal(ds.dpl.simulate("vic", theta), xdpl.simulate(ds, "vic", theta))
    assert ds.dpl.check("vic") == xdpl.check(ds, "vic")


def test_sees_the_dataset_as_it_is_now():
    ds = weather().drop_vars("precipitation")
    assert not ds.dpl.check("vic").ok
    ds["precipitation"] = weather()["precipitation"]
    assert ds.dpl.check("vic").ok


def test_a_used_dataset_pickles():
    ds = weather()
    ds.dpl.check("vic")
    xr.testing.assert_identical(pickle.loads(pickle.dumps(ds)), ds)
