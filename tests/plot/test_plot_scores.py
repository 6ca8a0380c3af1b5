"""Distributions and maps of metrics, and the diagram of Budyko."""

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl.errors import InputErrors
from xdpl.evaluation import flow_metrics, metrics
from xdpl.plot import budyko, cdf, maps


def scores(nse, **variables):
    ds = xr.Dataset({"nse": ("basin", np.array(nse, float), {"units": "1", "long_name": "efficiency"})})
    ds = ds.assign({k: ("basin", np.array(v, float), {"units": "mm d-1"}) for k, v in variables.items()})
    n = ds.sizes["basin"]
    return ds.assign_coords(lat=("basin", 40 + np.arange(n)), lon=("basin", 5 + np.arange(n)))


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_cdf_by_hand():
    ax = cdf(scores([0.9, np.nan, -3.0, 0.5, 0.7]))
    ax.figure.canvas.draw()
    line = ax.lines[-1]
    # Four sites: a step of a quarter at each.
    np.testing.assert_allclose(line.get_xdata()[1:], [-3, 0.5, 0.7, 0.9])
    np.testing.assert_allclose(line.get_ydata(), [0, 0.25, 0.5, 0.75, 1])
    assert ax.get_xlim() == (-0.2, 1) and ax.get_ylim() == (0, 1)
    assert texts(ax) == ["median 0.6\n25 % below −0.2"]
    assert ax.get_xlabel() == "efficiency (1)" and ax.get_ylabel() == "share of sites"


def test_cdf_of_several_runs():
    one, other = scores([0.1, 0.2, 0.3]), scores([0.5, 0.6, 0.7])
    _, (left, right) = plt.subplots(1, 2)
    assert cdf({"hbv": one, "vic": other}, "nse", ax=right) is right
    assert not left.has_data()
    assert texts(right) == ["hbv: median 0.2", "vic: median 0.6"]
    both = xr.concat([one, other], xr.Variable("model", ["hbv", "vic"]))
    assert texts(cdf(both, by="model")) == texts(right)
    # Without `by` all are sites.
    assert texts(cdf(both)) == ["median 0.4"]
    members = xr.concat([one, other], "member")
    assert texts(cdf({"hbv": members}, by="member")) == ["hbv, 0: median 0.2", "hbv, 1: median 0.6"]


def test_cdf_of_errors():
    many = scores(np.zeros(20), rmse=np.arange(1.0, 21.0), bias=np.linspace(-3, 1, 20), other=np.arange(20.0))
    # At least 90 % of 1 .. 20 are inside.
    ax = cdf(many, "rmse")
    assert ax.get_xlim() == (0, 19) and texts(ax) == ["median 10.5\n5 % above 19"]
    # Away from zero the two farthest are 3 and 3 - 4 / 19: rounded up, 2.8.
    ax = cdf(many, "bias")
    assert ax.get_xlim() == (-2.8, 2.8)
    assert texts(ax) == ["median −1\n5 % below −2.8"]
    # Of what is no metric, everything is shown.
    low, high = cdf(many, "other").get_xlim()
    assert low < 0 and high > 19


def test_cdf_in_other_units_lazy_and_quantified():
    import pint

    one = scores([0, 0, 0], rmse=[1, 2, 3])
    metres = scores([0, 0, 0], rmse=[0.001, 0.002, 0.003])
    metres["rmse"].attrs["units"] = "m d-1"
    assert texts(cdf({"a": one, "b": metres}, "rmse")) == ["a: median 2", "b: median 2"]
    lazy = one.assign(rmse=one["rmse"].copy(data=da.from_array(one["rmse"].values)))
    assert texts(cdf(lazy, "rmse")) == ["median 2"]
    quantity = pint.UnitRegistry().Quantity(one["rmse"].values, "mm/day")
    ax = cdf(one.assign(rmse=("basin", quantity)), "rmse")
    assert texts(ax) == ["median 2"] and ax.get_xlabel() == "rmse (mm / d)"


def test_problems_of_cdf():
    ds = scores([0.1, 0.2])
    with pytest.raises(InputErrors, match=r"scores\['a'\]: expected a variable 'rmse', got nse"):
        cdf({"a": ds, "b": 1}, "rmse")
    with pytest.raises(InputErrors, match="by: expected a dim of scores, got 'model' of dims basin"):
        cdf(ds, by="model")
    with pytest.raises(InputErrors, match="nse: expected a site with a value"):
        cdf(scores([np.nan, np.nan]))
    with pytest.raises(InputErrors, match="units attribute"):
        cdf(ds.assign(nse=ds["nse"].drop_attrs()))
    with pytest.raises(InputErrors, match=r"scores: expected a Dataset, got <xarray.DataArray"):
        cdf(ds["nse"])
    with pytest.raises(InputErrors, match="at least one run"):
        cdf({})
    assert plt.get_fignums() == []


def colour_scale(figure, title):
    (ax,) = (ax for ax in figure.axes if ax.get_title().startswith(title))
    (points,) = ax.collections
    return points.get_cmap().name, points.get_clim(), points.colorbar.extend


def test_maps_of_metrics():
    values = np.arange(1.0, 21.0)
    ds = scores(np.linspace(-5, 0.9, 20), bias=values - 15, rmse=values, other=values)
    figure = maps(ds)
    figure.canvas.draw()
    assert colour_scale(figure, "nse") == ("viridis", (-0.2, 1), "min")
    # White is zero.
    name, (low, high), extend = colour_scale(figure, "bias")
    assert (name, low, high, extend) == ("RdBu", -13, 13, "min")
    assert colour_scale(figure, "rmse") == ("viridis_r", (0, 19), "max")
    # What is no metric has its range, as parameters have.
    assert colour_scale(figure, "other") == ("viridis", (1, 20), "neither")
    # Where there is no site, nothing is said.
    assert colour_scale(maps(scores([np.nan, np.nan])), "nse")[2] == "neither"


def test_maps_of_real_scores_have_their_own_scales():
    rng = np.random.default_rng(0)
    coords = {"lat": ("basin", rng.uniform(30, 40, 8)), "lon": ("basin", rng.uniform(5, 9, 8))}
    observed = xr.DataArray(rng.gamma(1, 2, (120, 8)), coords, ("time", "basin"), attrs={"units": "mm d-1"})
    found = metrics(0.5 * observed, observed).drop_vars("count")
    found = found.assign(flow_metrics(0.5 * observed, observed).drop_vars("count"))
    figure = maps(found)
    figure.canvas.draw()
    for name in ("bias", "percent_bias", "fhv"):
        assert colour_scale(figure, name)[0] == "RdBu"
    assert colour_scale(figure, "percent_bias")[1] == (-50, 50)


def balance(**indices):
    return xr.Dataset({k: ("basin", np.array(v, float), {"units": "1"}) for k, v in indices.items()})


def test_budyko():
    ds = balance(
        aridity_index=[0.5, 1.0, 1.5, np.nan],
        evaporative_index=[0.4, 0.7, 0.8, 0.5],
        observed_evaporative_index=[0.3, np.nan, -0.1, 0.5],
    )
    ax = budyko(ds)
    ax.figure.canvas.draw()
    limits, curve = ax.lines
    np.testing.assert_array_equal(limits.get_xydata(), [[0, 0], [1, 1], [2, 1]])
    x, y = curve.get_data()
    # sqrt(tanh(1) (1 - exp(-1))) where demand is what falls.
    assert np.interp(1.0, x, y) == pytest.approx(np.sqrt(0.76159416 * 0.63212056), abs=1e-5)
    assert (y < np.minimum(x, 1)).all() and y[-1] > 0.85
    observed, simulated = ax.collections
    np.testing.assert_allclose(observed.get_offsets(), [[0.5, 0.3], [1.5, -0.1]])
    np.testing.assert_allclose(simulated.get_offsets(), [[0.5, 0.4], [1.0, 0.7], [1.5, 0.8]])
    assert "observed, (P − Q) / P\n50 % with E / P below 0" in texts(ax)
    assert "simulated, E / P" in texts(ax)
    assert ax.get_xlim() == (0, 2)
    assert ax.get_xlabel() == "aridity index, PET / P (1)"


def test_budyko_of_deserts_members_and_one_index():
    arid = np.linspace(0.1, 3, 100)
    arid[7] = 500
    ds = balance(aridity_index=arid, evaporative_index=np.full(100, 0.5))
    members = ds.assign(evaporative_index=ds["evaporative_index"].expand_dims(member=2))
    _, ax = plt.subplots()
    assert budyko(members, ax=ax) is ax
    (points,) = ax.collections
    assert points.get_offsets().shape == (200, 2)
    assert ax.get_xlim()[1] == 3
    assert "simulated, E / P\n1 % with PET / P above 3" in texts(ax)


def test_budyko_of_the_water_balance():
    ds = xdpl.data.twin(shape=(2, 3), years=1)
    sim = ds.dpl.simulate("vic").chunk(lat=1)
    ax = budyko(xdpl.evaluation.water_balance(ds, sim))
    (points,) = ax.collections
    assert points.get_offsets().shape == (6, 2)


def test_problems_of_budyko():
    with pytest.raises(InputErrors, match=r"balance: expected aridity_index, and observed_evap.*, got x"):
        budyko(balance(x=[1.0]))
    with pytest.raises(InputErrors, match="a site with values"):
        budyko(balance(aridity_index=[np.nan], evaporative_index=[1.0]))
    assert plt.get_fignums() == []
