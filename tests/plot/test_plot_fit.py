"""Pictures of a fit."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from helpers_learn import Bucket, fitted, problems, quick, twin, world

import xdpl
from xdpl import plot, units
from xdpl.errors import InputErrors
from xdpl.models import Forcing


@pytest.fixture(scope="module")
def fit():
    return fitted()


@pytest.fixture
def ds():
    return twin()


def drawn(figure):
    """Draw everything: labels and layout are only tried then."""
    figure.canvas.draw()
    return figure


def test_history(fit):
    ax = fit.plot.history()
    drawn(ax.figure)
    assert isinstance(ax, mpl.axes.Axes)
    assert ax.get_xlabel() == "epoch" and ax.get_ylabel() == "loss (nrmse)"
    lines = {line.get_label(): line for line in ax.lines}
    np.testing.assert_array_equal(lines["training"].get_ydata(), fit.history["loss"])
    np.testing.assert_array_equal(lines["validation"].get_ydata(), fit.history["validation_loss"])
    best = fit.settings["best_epoch"]
    assert lines[f"best epoch, {best}"].get_xdata()[0] == best
    assert ax.get_legend() is not None


def test_history_without_validation():
    labels = [line.get_label() for line in quick().plot.history().lines]
    assert labels == ["training"]


@pytest.mark.parametrize("name", ["history", "series", "scatter", "hydrograph", "flow_duration", "cdf"])
def test_axes_are_taken(fit, ds, name):
    figure, axes = plt.subplots(1, 2)
    site = {"lat": 0, "lon": 0}
    arguments = {"history": (), "scatter": (ds,), "cdf": (ds,)}.get(name, (ds, site))
    before = plt.get_fignums()
    assert getattr(fit.plot, name)(*arguments, ax=axes[1]) is axes[1]
    assert plt.get_fignums() == before
    assert not axes[0].has_data() and axes[1].has_data()
    drawn(figure)


def test_parameters_on_given_axes(fit, ds):
    figure, axes = plt.subplots(1, 3)
    before = plt.get_fignums()
    assert fit.plot.parameters(ds, ["ksat", "d1"], ax=axes[:2]) is figure
    assert plt.get_fignums() == before
    assert [ax.get_title() for ax in axes] == ["ksat (mm d-1)", "d1 (m)", ""]
    with pytest.raises(InputErrors, match="expected 2 axes, for ksat, d1, got 3"):
        fit.plot.parameters(ds, ["ksat", "d1"], ax=axes)


def test_a_parameter_by_its_name(fit, ds):
    titles = [ax.get_title() for ax in fit.plot.parameters(ds, "d1").axes if ax.get_title()]
    assert titles == ["d1 (m)"]
    with pytest.raises(InputErrors, match=r"names: expected among infilt.*got 'd4'"):
        fit.plot.parameters(ds, ["d1", "d4"])


@pytest.mark.parametrize(("loss", "label"), [("rmse", "loss (rmse, mm d-1)"), ("nse", "loss (nse)")])
def test_a_loss_in_units_says_them(loss, label):
    assert quick(loss=loss).plot.history().get_ylabel() == label


def test_parameters_on_a_grid(fit, ds):
    figure = drawn(fit.plot.parameters(ds))
    assert isinstance(figure, mpl.figure.Figure)
    theta = fit.parameters(ds)
    maps = {ax.get_title(): ax for ax in figure.axes if ax.get_title()}
    assert set(maps) == {f"{name} ({array.attrs['units']})" for name, array in theta.items()}
    (mesh,) = maps["ksat (mm d-1)"].collections
    np.testing.assert_allclose(mesh.get_array().reshape(5, 6), theta["ksat"], rtol=1e-6)
    assert figure.get_supxlabel() == "longitude (degrees east)"
    assert figure.get_supylabel() == "latitude (degrees north)"


def test_chosen_parameters_and_dim_order(fit, ds):
    figure = drawn(fit.plot.parameters(ds.transpose("lon", "lat", "time"), ["porosity", "d1"]))
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == ["porosity (m3 m-3)", "d1 (m)"]
    (mesh,) = figure.axes[0].collections
    np.testing.assert_allclose(mesh.get_array().reshape(5, 6), fit.parameters(ds)["porosity"], rtol=1e-5)


def test_parameters_at_sites(fit, ds):
    sites = ds.stack(site=("lat", "lon")).reset_index("site").isel(site=[0, 5, 17])
    figure = drawn(fit.plot.parameters(sites, ["ksat"]))
    (points,) = figure.axes[0].collections
    np.testing.assert_array_equal(points.get_offsets(), np.stack([sites["lon"], sites["lat"]], axis=1))
    np.testing.assert_array_equal(points.get_array(), fit.parameters(sites)["ksat"])


def curvilinear(ds):
    """A grid turned against latitude and longitude, on dims y and x."""
    lat, lon = xr.broadcast(ds["lat"], ds["lon"])
    turned = ds.rename(lat="y", lon="x").drop_vars(["y", "x"])
    return turned.assign_coords(
        latitude=(("y", "x"), lat.values + 0.1 * np.arange(6)), longitude=(("y", "x"), lon.values)
    )


@pytest.mark.parametrize("order", [("y", "x"), ("x", "y")])
def test_parameters_on_a_curvilinear_grid(fit, ds, order):
    other = curvilinear(ds)
    theta = fit.parameters(other)[["ksat"]]
    # The coordinates keep their own order.
    theta["ksat"] = theta["ksat"].variable.transpose(*order)
    (points,) = drawn(plot.maps(theta)).axes[0].collections
    value = dict(zip(map(tuple, points.get_offsets().round(6)), points.get_array().ravel(), strict=True))
    for y, x in ((0, 0), (0, 5), (4, 0), (2, 3)):
        at = other.isel(y=y, x=x)
        key = (round(float(at["longitude"]), 6), round(float(at["latitude"]), 6))
        assert value[key] == pytest.approx(float(theta["ksat"].isel(y=y, x=x)))


def test_coordinates_by_standard_name(fit, ds):
    other = ds.rename(lat="row", lon="column")
    (mesh,) = drawn(fit.plot.parameters(other, ["ksat"])).axes[0].collections
    assert mesh.get_array().size == 30


def test_one_map_and_ocean(fit, ds):
    wide = ds.reindex(lat=[*ds["lat"].values, 37.5])
    assert wide["sand"].isnull().any()
    (mesh,) = drawn(fit.plot.parameters(wide, ["ksat"])).axes[0].collections
    assert np.ma.count_masked(np.ma.masked_invalid(mesh.get_array())) == 6


def test_without_latitude_and_longitude(fit, ds):
    bare = ds.rename(lat="row", lon="column").drop_vars(["row", "column"])
    with pytest.raises(InputErrors, match="plot cannot run") as raised:
        fit.plot.parameters(bare)
    message = problems(raised)["latitude"]
    assert "a coordinate named 'lat' or with standard_name 'latitude'" in message
    assert "ds.assign_coords(lat=...)" in message
    with pytest.raises(InputErrors, match="longitude"):
        fit.plot.parameters(ds.drop_vars("lon"))


def test_series(fit, ds):
    ax = fit.plot.series(ds, {"lat": 3, "lon": 2})
    drawn(ax.figure)
    assert ax.get_ylabel().endswith("(m3 m-3)") and ax.get_title() == "lat 3, lon 2"
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    expected = fit.simulate(ds)["soil_moisture"][:, 3, 2]
    np.testing.assert_allclose(lines["simulated"], expected, rtol=1e-4)
    np.testing.assert_array_equal(lines["observed"], ds["soil_moisture"][:, 3, 2])


def test_series_of_a_site_list():
    ds = world().stack(site=("lat", "lon")).reset_index("site").transpose("time", "site")
    ax = quick(ds).plot.series(ds, {"site": 4})
    assert ax.get_title() == "site 4" and ax.get_ylabel() == "outflow of the bucket (mm d-1)"


@pytest.mark.parametrize(
    ("site", "says"),
    [
        (
            {"lat": 0},
            r"one series over time, got further dims lon of size 6; fix: name positions in site",
        ),
        ({"lat": 5, "lon": 0}, r"site\['lat'\]: expected a position from 0 to 4, got 5"),
        ({"lat": 0, "lon": 40.5}, r"site\['lon'\]: expected a position from 0 to 5, got 40.5"),
        (
            {"lat": 0, "lon": 0, "basin": 0},
            r"site\['basin'\]: expected one of the dims lat, lon, got no",
        ),
    ],
)
def test_a_site_that_is_none(fit, ds, site, says):
    with pytest.raises(InputErrors, match=says):
        fit.plot.series(ds, site)
    assert plt.get_fignums() == []


def test_quantified_data_have_the_declared_units(fit, ds):
    pytest.importorskip("pint_xarray")
    quantified = ds.assign(
        {name: units.quantify_like(ds[[name]], registry_of())[name] for name in ("soil_moisture", *FORCINGS)}
    )
    ax = fit.plot.series(quantified, {"lat": 3, "lon": 2})
    assert ax.get_ylabel() == "water content of layer 1 (m3 m-3)"
    plain = fit.plot.series(ds, {"lat": 3, "lon": 2})
    for one, other in zip(ax.lines, plain.lines, strict=True):
        np.testing.assert_allclose(one.get_ydata(), other.get_ydata(), rtol=1e-5)
    assert fit.plot.scatter(quantified).get_xlabel() == "observed water content of layer 1 (m3 m-3)"


FORCINGS = ("precipitation", "air_temperature", "potential_evapotranspiration")


def registry_of():
    import pint

    return xr.DataArray(pint.UnitRegistry().Quantity(np.zeros(1), "m"))


def test_observations_in_other_units_are_converted(fit, ds):
    percent = ds.assign(soil_moisture=(100 * ds["soil_moisture"]).assign_attrs(units="percent"))
    ax = fit.plot.series(percent, {"lat": 3, "lon": 2})
    np.testing.assert_allclose(ax.lines[1].get_ydata(), ds["soil_moisture"][:, 3, 2], rtol=1e-5)


def test_a_target_of_volume_flow_is_shown_per_area():
    fit, ds = quick(), world()
    expected = fit.plot.series(ds, {"lat": 0, "lon": 1}).lines[1].get_ydata()
    ds["area"] = ((), 50.0, {"units": "km2"})
    ds["runoff"] = (ds["runoff"] * 50.0 / 86.4).assign_attrs(units="m3 s-1")
    shown = fit.plot.series(ds, {"lat": 0, "lon": 1}).lines[1].get_ydata()
    np.testing.assert_allclose(shown, expected, rtol=1e-5)


def test_hydrograph(fit, ds):
    late = slice("2001-10", "2001-11")
    ax = fit.plot.hydrograph(ds, {"lat": 3, "lon": 2}, time=late)
    drawn(ax.figure)
    found = {line.get_label(): line.get_ydata() for line in ax.lines}
    expected = fit.simulate(ds)["soil_moisture"].sel(time=late)[:, 3, 2]
    np.testing.assert_allclose(found["simulated"], expected, rtol=1e-4)
    np.testing.assert_array_equal(found["observed"], ds["soil_moisture"].sel(time=late)[:, 3, 2])
    assert ax.get_title("left") == "lat 3, lon 2"
    assert ax.get_ylabel() == "water content of layer 1 (m3 m-3)"
    (above,) = (other for other in ax.figure.axes if other is not ax)
    (area,) = above.collections
    rain = ds["precipitation"].sel(time=late)[:, 3, 2]
    assert area.get_paths()[0].vertices[:, 1].max() == pytest.approx(float(rain.max()), rel=1e-5)
    assert above.get_ylabel() == "precipitation (mm d-1)"


def test_hydrograph_of_a_model_without_precipitation():
    @dataclass(frozen=True)
    class Melt(Bucket):
        name: ClassVar[str] = "melt"
        forcings = (Forcing("melt", "mm d-1"),)

        def step(self, xp, s, f, p):
            return super().step(xp, s, SimpleNamespace(precipitation=f.melt), p)

    ds = world().rename(precipitation="melt")
    ax = quick(ds, model=Melt()).plot.hydrograph(ds, {"lat": 0, "lon": 1})
    assert len(ax.figure.axes) == 1 and len(ax.lines) == 2


def test_flow_duration():
    fit, ds = quick(), world()
    late = slice("2001-05", None)
    ax = fit.plot.flow_duration(ds, {"lat": 0, "lon": 1}, time=late)
    drawn(ax.figure)
    simulated = fit.simulate(ds)["runoff"]
    seen = ds["runoff"].sel(time=late)[:, 0, 1]
    both = simulated.sel(time=late)[:, 0, 1].where(seen.notnull())
    found = {line.get_label(): line.get_ydata() for line in ax.lines}
    for name, array in (("observed", seen), ("simulated", both)):
        np.testing.assert_allclose(found[name], np.sort(array[array.notnull()])[::-1], rtol=1e-5)
    assert ax.get_title() == "lat 0, lon 1" and ax.get_ylabel() == "outflow of the bucket (mm d-1)"
    pooled = fit.plot.flow_duration(ds)
    assert pooled.lines[0].get_ydata().size == ds["runoff"].count() and pooled.get_title() == ""


def test_cdf():
    fit, ds = quick(), world()
    late = slice("2001-05", None)
    ax = fit.plot.cdf(ds, "rmse", time=late)
    drawn(ax.figure)
    expected = fit.evaluate(ds, time=late)["rmse"]
    np.testing.assert_allclose(ax.lines[-1].get_xdata()[1:], np.sort(expected, axis=None), rtol=1e-6)
    assert ax.get_xlabel() == "root mean square error (mm d-1)"
    assert ax.get_legend().get_texts()[0].get_text().startswith("bucket: median ")
    assert fit.plot.cdf(ds).get_xlabel() == "Nash-Sutcliffe efficiency (1)"
    flow = fit.plot.cdf(ds, "percent_bias")
    both = fit.simulate(ds)["runoff"], ds["runoff"]
    expected = xdpl.evaluation.flow_metrics(*both)["percent_bias"]
    np.testing.assert_allclose(flow.lines[-1].get_xdata()[1:], np.sort(expected, axis=None), rtol=1e-4)
    with pytest.raises(InputErrors, match=r"name: expected one of rmse.*peak_timing, got 'r2'"):
        fit.plot.cdf(ds, "r2")


def test_scatter(fit, ds):
    ax = fit.plot.scatter(ds)
    drawn(ax.figure)
    assert ax.get_xlabel().startswith("observed ") and ax.get_xlabel().endswith("(m3 m-3)")
    assert ax.get_ylabel().startswith("simulated ") and ax.get_ylabel().endswith("(m3 m-3)")
    counted = ax.collections[0].get_array().sum()
    assert counted == ds["soil_moisture"].count()
    assert ax.get_aspect() == 1


def test_scatter_of_a_period(fit, ds):
    late = slice("2001-11", None)
    ax = fit.plot.scatter(ds.transpose("lon", "lat", "time"), time=late)
    assert ax.collections[0].get_array().sum() == ds["soil_moisture"].sel(time=late).count()


def test_a_single_site(fit, ds):
    one = ds.isel(lat=0, lon=0)
    (points,) = drawn(fit.plot.parameters(one, ["ksat"])).axes[0].collections
    assert points.get_array().size == 1


@pytest.mark.parametrize("name", ["series", "scatter"])
def test_observations_that_cannot_be_shown(fit, ds, name):
    arguments = {"series": ({"lat": 0, "lon": 0},), "scatter": ()}[name]
    bad = {
        "no such variable": ds.drop_vars("soil_moisture"),
        "no units": ds.assign(soil_moisture=ds["soil_moisture"].drop_attrs()),
        "'K'": ds.assign(soil_moisture=ds["soil_moisture"].assign_attrs(units="K")),
    }
    for got, other in bad.items():
        with pytest.raises(InputErrors, match="plot cannot run") as raised:
            getattr(fit.plot, name)(other, *arguments)
        assert got in problems(raised)["soil_moisture"]


def test_scatter_without_observations(fit, ds):
    for options in ({"time": slice("2020", None)}, {}):
        nothing = ds if options else ds.assign(soil_moisture=ds["soil_moisture"] * np.nan)
        nothing["soil_moisture"].attrs["units"] = "m3 m-3"
        with pytest.raises(InputErrors, match="observations to show"):
            fit.plot.scatter(nothing, **options)
