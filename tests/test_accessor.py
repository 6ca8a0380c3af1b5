"""The accessor is only a door to the functions."""

import inspect
import pickle
import pydoc
import re

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


def signature_in(text, name):
    """Names of the arguments as `pydoc` prints them, on one line or many."""
    printed = re.search(rf"^{name}\((.*?)\) -> ", text, re.MULTILINE | re.DOTALL).group(1)
    return re.findall(r"(?:^|, |,?\n\s*)(?:\*\*)?(\*|\w+(?=:))", printed)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("of", ["a dataset", "the class"])
def test_help_is_that_of_the_function(name, of):
    """What `help(ds.dpl.learn)` prints: the true signature, then the whole docstring."""
    function = getattr(xdpl, name)
    method = getattr(weather().dpl if of == "a dataset" else xr.Dataset.dpl, name)
    text = pydoc.render_doc(method, renderer=pydoc.plaintext)
    names = list(inspect.signature(function).parameters)
    shown = [argument for argument in signature_in(text, name) if argument != "*"]
    assert shown == (names[1:] if of == "a dataset" else names)
    for line in inspect.getdoc(function).splitlines():
        assert line in text


def test_help_of_learn():
    text = pydoc.render_doc(weather().dpl.learn, renderer=pydoc.plaintext)
    first = ["model", "*", "target", "attributes", "forcings", "network", "members", "dynamic"]
    assert signature_in(text, "learn")[: len(first)] == first
    for section in ("Parameters", "Returns", "Raises", "References", "Examples"):
        assert f"    {section}\n    {'-' * len(section)}" in text


def test_help_of_the_accessor_has_every_method():
    text = pydoc.render_doc(xr.Dataset.dpl, renderer=pydoc.plaintext)
    for name in METHODS:
        assert re.search(rf"^ \|  {name}\(\s*(\|\s*)?ds: ", text, re.MULTILINE)


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
