"""Maps of static variables, without a fit."""

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from helpers_learn import problems

import xdpl
from xdpl.errors import InputErrors


def theta(names=("k", "depth")):
    values = np.arange(6.0).reshape(2, 3)
    ds = xr.Dataset(coords={"lat": [40.0, 41.0], "lon": [5.0, 6.0, 7.0]})
    return ds.assign({n: (("lat", "lon"), values + i, {"units": "mm"}) for i, n in enumerate(names)})


def mesh(ax):
    (drawn,) = ax.collections
    return np.asarray(drawn.get_array()).reshape(2, 3)


def test_one_axes_for_one_variable():
    figure, (left, right) = plt.subplots(1, 2)
    assert xdpl.plot.maps(theta(["k"]), ax=right) is figure
    assert len(plt.get_fignums()) == 1
    assert not left.has_data()
    np.testing.assert_array_equal(mesh(right), theta()["k"])


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda axes: np.reshape(axes, (2, 1))])
def test_one_axes_per_variable(kind):
    figure, axes = plt.subplots(1, 2)
    assert xdpl.plot.maps(theta(), ax=kind(axes)) is figure
    assert [ax.get_title() for ax in axes] == ["k (mm)", "depth (mm)"]
    for ax, name in zip(axes, ("k", "depth"), strict=True):
        np.testing.assert_array_equal(mesh(ax), theta()[name])
        assert ax.get_xlabel() == "longitude (degrees east)"
        assert ax.get_ylabel() == "latitude (degrees north)"
    figure.canvas.draw()


def test_axes_of_a_subfigure():
    figure = plt.figure(layout="constrained")
    left, _ = figure.subfigures(1, 2)
    assert xdpl.plot.maps(theta(["k"]), ax=left.subplots()) is figure
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("ax", "got"),
    [
        (lambda: plt.subplots(1, 3)[1], "got 3;"),
        (lambda: plt.subplots()[1], "got 1;"),
        (lambda: [], "got 0;"),
        (lambda: plt.subplots()[0], "got <Figure size"),
    ],
)
def test_axes_that_do_not_fit(ax, got):
    given = ax()
    before = plt.get_fignums()
    with pytest.raises(InputErrors, match="plot cannot run") as raised:
        xdpl.plot.maps(theta(), ax=given)
    message = problems(raised)["ax"]
    assert "expected 2 axes, for k, depth, " in message and got in message
    assert "fix: ax=plt.subplots(1, 2)[1]" in message
    assert plt.get_fignums() == before


def test_a_new_figure_has_columns():
    figure = xdpl.plot.maps(theta(["a", "b", "c"]), columns=2)
    maps = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_subplotspec().get_geometry()[:2] for ax in maps] == [(2, 2)] * 3
    assert sum(not ax.get_visible() for ax in figure.axes) == 1
    assert figure.get_supxlabel() == "longitude (degrees east)"


def test_lazy_and_quantified_variables():
    import pint

    ds = theta()
    lazy = ds.assign(k=ds["k"].copy(data=da.from_array(ds["k"].values)))
    np.testing.assert_array_equal(mesh(xdpl.plot.maps(lazy).axes[0]), ds["k"])
    ds["k"] = ds["k"].copy(data=pint.UnitRegistry().Quantity(ds["k"].values, "mm / day")).drop_attrs()
    ax = xdpl.plot.maps(ds).axes[0]
    assert ax.get_title() == "k (mm / d)"
    np.testing.assert_array_equal(mesh(ax), theta()["k"])


def test_every_problem_at_once():
    ds = theta()
    ds["k"] = ds["k"].drop_attrs()
    ds["depth"] = ds["depth"].expand_dims(member=2).assign_attrs(units="m")
    with pytest.raises(InputErrors) as raised:
        xdpl.plot.maps(ds, ax=[])
    found = problems(raised)
    assert set(found) == {"k", "depth", "ax"}
    assert 'fix: theta["k"].attrs["units"] = "<its units>"' in found["k"]
    assert "got further dims member; fix: theta.isel(member=0)" in found["depth"]


def test_nothing_to_show():
    with pytest.raises(InputErrors, match="at least one variable"):
        xdpl.plot.maps(theta([]))
