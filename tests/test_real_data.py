"""Two real datasets from forcings to file and picture, without a manual step; the water adds up."""

import os

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from reference_models import on_its_way

import xdpl

mpl.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")
pytestmark = pytest.mark.data

UNITS = {
    "streamflow": "mm d-1",
    "evapotranspiration": "mm d-1",
    "soil_moisture": "mm",
    "snow_water_equivalent": "mm",
}
# Name of the dataset, method of evapotranspiration, dims of a result, and mean annual
# evapotranspiration and streamflow (mm) between which most of the sites must be.
CASES = {
    "grid": ("era5land-quebec-1970", "oudin", ("time", "lat", "lon"), (300.0, 700.0), (300.0, 1200.0)),
    "basins": ("mopex438-1970-1990", "hargreaves", ("basin", "time"), (250.0, 1000.0), (50.0, 2000.0)),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    """The dataset, states before and after, the simulation, and what to expect."""
    if not os.environ.get("XDPL_DATA_URL"):
        pytest.skip("XDPL_DATA_URL is not set")
    name, method, *expected = CASES[request.param]
    ds = xdpl.data.open(name)
    ds = ds.assign(potential_evapotranspiration=ds.dpl.pet(method))
    start = ds.dpl.spin_up("hbv", tolerance=0.5)
    sim, end = ds.dpl.simulate("hbv", initial=start, return_states=True)
    return ds, start, sim, end, expected


def test_dims_and_coordinates_are_those_of_the_data(case):
    ds, _, sim, _, (dims, *_) = case
    for name in UNITS:
        assert sim[name].dims == dims and bool(sim[name].notnull().all())
    for name, coordinate in sim.coords.items():
        xr.testing.assert_identical(coordinate, ds[name])


@pytest.mark.parametrize("start", ["spun up", "empty"])
def test_the_water_balance_closes(case, start):
    ds, before, sim, after, _ = case
    states = xdpl.models.get("hbv").states
    if start == "empty":
        before = xr.Dataset({s.name: ((), 0.0, {"units": s.units}) for s in states})
        before["unrouted_streamflow"] = ("lag", np.zeros(14), {"units": "mm d-1"})
        sim, after = ds.dpl.simulate("hbv", initial=before, return_states=True)
    rain = ds["pr"].sum("time", dtype="float64")
    out = sum(sim[name].sum("time", dtype="float64") for name in ("evapotranspiration", "streamflow"))
    stored = sum(after[s.name] - before[s.name] for s in states)
    route = [xdpl.models.get("hbv").defaults()[k] for k in ("route_a", "route_b")]
    ends = ([s["unrouted_streamflow"].isel(lag=i, drop=True) for i in range(14)] for s in (after, before))
    stored = stored + on_its_way(next(ends), *route) - on_its_way(next(ends), *route)
    assert float((abs(rain - out - stored) / rain).max()) < 1e-3
    if start == "empty":  # what is stored is a part of the balance that counts
        assert float((stored / rain).max()) > 1e-2


def test_values_are_plausible(case):
    ds, _, sim, _, (_, evapotranspiration, streamflow) = case
    for name in UNITS:
        assert float(sim[name].min()) >= 0.0
    assert float(sim["soil_moisture"].max()) <= 250.0 + 1e-3
    demand = ds["potential_evapotranspiration"].sum("time", dtype="float64")
    actual = sim["evapotranspiration"].sum("time", dtype="float64")
    assert bool((actual <= demand * (1 + 1e-6)).all())
    years = ds.sizes["time"] / 365.25
    flow = sim["streamflow"].sum("time", dtype="float64")
    for total, (low, high) in ((actual / years, evapotranspiration), (flow / years, streamflow)):
        assert low < float(total.quantile(0.05)) and float(total.quantile(0.95)) < high


def test_snow_lies_in_winter(case):
    _, _, sim, _, _ = case
    snow = sim["snow_water_equivalent"].groupby("time.month").mean(...)
    assert float(snow.sel(month=2)) > 10.0 and float(snow.sel(month=8)) < 0.1 * float(snow.sel(month=2))


def test_the_file_has_units_and_the_same_values(case, tmp_path):
    _, _, sim, _, _ = case
    sim.to_netcdf(tmp_path / "sim.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "sim.nc", engine="h5netcdf") as back:
        assert {k: v.attrs["units"] for k, v in back.items()} == UNITS
        xr.testing.assert_identical(back.load(), sim)


def test_the_picture_has_data(case):
    _, _, sim, _, (dims, *_) = case
    place = {d: 3 for d in dims if d != "time"}
    ax = xdpl.plot.series(sim["streamflow"], place)
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_ydata(), sim["streamflow"].isel(place))
    assert np.ptp(line.get_ydata()) > 1.0 and "mm d-1" in ax.get_ylabel()
    mean = sim["streamflow"].mean("time", keep_attrs=True).to_dataset()
    figure = xdpl.plot.maps(mean)
    drawn = figure.axes[0].collections[0].get_array()
    assert np.ma.count(drawn) == mean["streamflow"].size and np.ptp(drawn) > 0.1
    plt.close("all")
