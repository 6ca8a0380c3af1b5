"""`import xdpl` is light, and says what it has."""

import subprocess
import sys

import pytest

import xdpl

HEAVY = {
    "torch",
    "numba",
    "dask",
    "pint",
    "pint_xarray",
    "matplotlib",
    "cf_xarray",
    "scores",
    "pooch",
    "cmaes",
    "spotpy",
    "cupy",
}


def imported(code):
    """Modules that `code` adds to those of xarray, in a fresh interpreter."""
    script = f"import sys, xarray\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_is_light():
    added = imported("import xdpl")
    assert "xdpl.simulate" in added
    assert added & HEAVY == set()


def test_looking_around_is_light():
    added = imported("import xdpl; dir(xdpl); xdpl.models.get('hbv'); xdpl.plot.maps; xarray.Dataset().dpl")
    assert added & HEAVY == set()


def test_simulating_needs_no_torch():
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "import xdpl\nds = xdpl.data.twin(shape=(2, 2), years=1)\nds.dpl.simulate('hbv')"
    )
    assert imported(code) & (HEAVY - {"pint", "dask", "numba"}) == set()
    # The kernel is on disk by now.
    assert imported(code) & (HEAVY - {"pint", "dask"}) == set()


def test_all_is_sorted_and_resolves():
    assert xdpl.__all__ == sorted(xdpl.__all__)
    assert len(set(xdpl.__all__)) == len(xdpl.__all__)
    for name in xdpl.__all__:
        assert getattr(xdpl, name) is not None
    star = {}
    exec("from xdpl import *", star)
    assert set(xdpl.__all__) <= set(star)


def test_dir_names_all():
    assert set(xdpl.__all__) <= set(dir(xdpl))
    assert dir(xdpl) == sorted(dir(xdpl))


def test_unknown_attribute():
    with pytest.raises(AttributeError, match="module 'xdpl' has no attribute 'simulat'"):
        _ = xdpl.simulat


def test_version():
    assert xdpl.__version__[0].isdigit()
