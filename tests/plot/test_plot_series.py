"""Series of any output at a site, without a fit."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from model_cases import weather

import xdpl
from xdpl.errors import InputErrors


@pytest.fixture(scope="module")
def sim():
    return weather(("lat", "lon"), (2, 3)).dpl.simulate("hbv", outputs=["streamflow", "snowpack"])


def test_at_a_site(sim):
    ax = xdpl.plot.series(sim["streamflow"], {"lat": 1, "lon": -1})
    ax.figure.canvas.draw()
    assert isinstance(ax, mpl.axes.Axes)
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_ydata(), sim["streamflow"][:, 1, -1])
    np.testing.assert_array_equal(line.get_xdata(), sim["time"])
    assert ax.get_ylabel() == "streamflow per area (mm d-1)"
    assert ax.get_xlabel() == ""
    assert ax.get_title() == "lat 1, lon -1"


def test_series_share_axes(sim):
    _, ax = plt.subplots()
    for lat in (0, 1):
        one = sim["snowpack"].isel(lat=lat, lon=[2]).rename(f"site_{lat}")
        assert xdpl.plot.series(one, ax=ax) is ax
    assert [line.get_label() for line in ax.lines] == ["site_0", "site_1"]
    assert len(plt.get_fignums()) == 1 and ax.get_title() == ""


def test_any_order_of_dims(sim):
    turned = sim["snowpack"].transpose("lon", "time", "lat")
    (line,) = xdpl.plot.series(turned, {"lat": 0, "lon": 1}).lines
    np.testing.assert_array_equal(line.get_ydata(), sim["snowpack"][:, 0, 1])


def test_quantified(sim):
    import pint

    array = sim["streamflow"]
    quantity = pint.UnitRegistry().Quantity(array.values, "mm / day")
    array = array.copy(data=quantity).drop_attrs().assign_attrs(long_name="streamflow")
    ax = xdpl.plot.series(array, {"lat": 0, "lon": 1})
    assert ax.get_ylabel() == "streamflow (mm / d)"
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), sim["streamflow"][:, 0, 1])
    fraction = array.copy(data=quantity / quantity.max())
    assert xdpl.plot.series(fraction, {"lat": 0, "lon": 1}).get_ylabel() == "streamflow (1)"


def test_only_the_site_is_computed(sim):
    computed = []

    def block(values):
        computed.append(values.size)
        return values

    lazy = sim["streamflow"].chunk(lat=1, lon=1)
    lazy = lazy.copy(data=lazy.data.map_blocks(block, meta=np.empty((0, 0, 0))))
    (line,) = xdpl.plot.series(lazy, {"lat": 1, "lon": 0}).lines
    np.testing.assert_array_equal(line.get_ydata(), sim["streamflow"][:, 1, 0])
    assert computed == [40]


def test_other_calendars(sim):
    dates = xr.date_range("2001-02-01", periods=40, calendar="360_day", use_cftime=True)
    ax = xdpl.plot.series(sim["streamflow"].assign_coords(time=dates), {"lat": 0, "lon": 0})
    ax.figure.canvas.draw()
    assert ax.get_xlabel() == "year"
    np.testing.assert_allclose(ax.lines[0].get_xdata(), 2001 + (30 + np.arange(40)) / 360)


def test_without_a_name(sim):
    ax = xdpl.plot.series(sim["streamflow"].drop_attrs().assign_attrs(units="m").rename(None)[:, 0, 0])
    assert ax.get_ylabel() == "value (m)"


@pytest.mark.parametrize(
    ("change", "site", "says"),
    [
        (
            lambda a: a,
            None,
            "got further dims lat of size 2, lon of size 3; fix: name positions",
        ),
        (
            lambda a: a,
            {"lat": 0},
            "fix: name positions in site, such as {'lon': 0}",
        ),
        (lambda a: a, {"lat": 2, "lon": 0}, "site['lat']: expected a position from 0 to 1, got 2; fix: "),
        (lambda a: a, {"lat": 0, "lon": "x"}, "site['lon']: expected a position from 0 to 2, got 'x'"),
        (lambda a: a, {"time": 0}, "site['time']: expected one of the dims lat, lon, got no such dim"),
        (lambda a: a[0, 0, 0], None, "streamflow: expected a dim 'time', got dims none"),
        (lambda a: a.drop_attrs(), {"lat": 0, "lon": 0}, 'fix: array.attrs["units"] = "<its units>"'),
        (lambda a: a.to_dataset(), {"lat": 0, "lon": 0}, "array: expected a DataArray, got <xarray.Dataset>"),
    ],
)
def test_what_is_no_series(sim, change, site, says):
    with pytest.raises(InputErrors, match="plot cannot run") as raised:
        xdpl.plot.series(change(sim["streamflow"]), site)
    assert says in str(raised.value)
    assert plt.get_fignums() == []


def test_dates_do_not_overlap(sim):
    figure, ax = plt.subplots(figsize=(3.2, 2.4), layout="constrained")
    xdpl.plot.series(sim["streamflow"], {"lat": 0, "lon": 0}, ax=ax)
    figure.canvas.draw()
    boxes = [tick.get_window_extent() for tick in ax.get_xticklabels() if tick.get_text()]
    assert len(boxes) > 1
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))
