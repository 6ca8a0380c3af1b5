"""Hydrographs and flow duration curves, without a fit."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from model_cases import weather

import xdpl
from xdpl.errors import InputErrors
from xdpl.plot import flow_duration, hydrograph

SITE = {"lat": 1, "lon": -1}


@pytest.fixture(scope="module")
def ds():
    return weather(("lat", "lon"), (2, 3))


@pytest.fixture(scope="module")
def flow(ds):
    return ds.dpl.simulate("hbv")["streamflow"]


def observations(flow):
    """In other units, with gaps."""
    seen = 1e-3 * (0.5 + flow).where(flow["time"].dt.day % 5 != 0)
    return seen.assign_attrs(units="m d-1", long_name="a long story about the gauge")


def lines(ax):
    return {line.get_label(): line for line in ax.lines}


def drawn(ax):
    ax.figure.canvas.draw()
    return ax


def test_hydrograph(flow):
    observed = observations(flow)
    ax = drawn(hydrograph(flow, observed, SITE))
    found = lines(ax)
    assert list(found) == ["observed", "simulated"]
    np.testing.assert_array_equal(found["observed"].get_ydata(), observed[:, 1, -1])
    # In the units of the observed.
    np.testing.assert_allclose(found["simulated"].get_ydata(), 1e-3 * flow[:, 1, -1], rtol=1e-6)
    assert ax.get_ylabel() == "streamflow (m d-1)"
    assert ax.get_title("left") == "lat 1, lon -1"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["observed", "simulated"]
    assert ax.get_ylim()[0] == 0
    assert len(ax.figure.axes) == 1


def test_precipitation_from_above(ds, flow):
    ax = drawn(hydrograph(flow, site=SITE, precipitation=ds["precipitation"]))
    (above,) = (other for other in ax.figure.axes if other is not ax)
    bottom, top = above.get_ylim()
    rain = ds["precipitation"].transpose("time", "lat", "lon")[:, 1, -1]
    assert top == 0 and bottom == pytest.approx(3 * float(rain.max()), rel=1e-6)
    (area,) = above.collections
    assert area.get_paths()[0].vertices[:, 1].max() == pytest.approx(float(rain.max()), rel=1e-6)
    assert above.get_ylabel() == f"precipitation ({ds['precipitation'].attrs['units']})"
    # The flow stays below.
    assert ax.get_ylim()[1] >= 1.5 * float(flow[:, 1, -1].max())
    assert max(above.get_yticks()) <= float(rain.max())
    # Lines are in front.
    assert ax.get_zorder() > above.get_zorder() and not ax.patch.get_visible()


def test_several_by_name_on_given_axes(flow):
    _, (left, right) = plt.subplots(1, 2)
    several = {"plain": flow, "double": (2 * flow).assign_attrs(flow.attrs)}
    period = slice(*flow["time"].values[[10, 20]])
    assert hydrograph(several, site=SITE, time=period, ax=right) is right
    assert not left.has_data() and len(plt.get_fignums()) == 1
    found = lines(right)
    assert list(found) == ["plain", "double"]
    np.testing.assert_array_equal(found["double"].get_ydata(), 2 * flow[10:21, 1, -1])
    assert found["plain"].get_color() != found["double"].get_color()


def test_a_dim_of_the_simulated_only(flow):
    members = xr.concat([flow, 2 * flow], "member").assign_attrs(flow.attrs)
    found = lines(hydrograph(members, flow, {**SITE, "member": 1}))
    np.testing.assert_allclose(found["simulated"].get_ydata(), 2 * found["observed"].get_ydata())


def test_duration_by_hand():
    dates = xr.date_range("2001-01-01", periods=5)
    simulated = xr.DataArray([4.0, 8.0, 1.0, 0.0, 7.0], {"time": dates}, attrs={"units": "mm d-1"})
    observed = simulated.copy(data=[1.0, 2.0, 3.0, 5.0, np.nan])
    ax = drawn(flow_duration(simulated, observed))
    found = lines(ax)
    # The last day is known of one only; the m-th of four flows is exceeded m / 5 of the time.
    for line in found.values():
        np.testing.assert_allclose(line.get_xdata(), [20, 40, 60, 80])
    np.testing.assert_array_equal(found["observed"].get_ydata(), [5, 3, 2, 1])
    # No flow is not on a logarithmic axis.
    np.testing.assert_array_equal(found["simulated"].get_ydata(), [8, 4, 1, np.nan])
    assert ax.get_yscale() == "log" and ax.get_xlim() == (0, 100)
    assert ax.get_xlabel() == "time that the flow is exceeded (%)"
    assert ax.get_ylabel() == "streamflow (mm d-1)"


def test_duration_at_a_site_and_pooled(flow):
    one = lines(flow_duration(flow, site=SITE))["simulated"]
    np.testing.assert_array_equal(one.get_ydata(), np.sort(flow[:, 1, -1])[::-1])
    pooled = lines(flow_duration(flow))["simulated"]
    np.testing.assert_array_equal(pooled.get_ydata(), np.sort(flow.values.ravel())[::-1])
    row = flow_duration(flow, site={"lat": 0})
    assert lines(row)["simulated"].get_ydata().size == flow[:, 0].size and row.get_title() == "lat 0"


def test_long_curves_are_thinned_but_for_their_ends():
    days = 50_000
    values = np.random.default_rng(0).permutation(days) + 1.0
    dates = xr.date_range("1900-01-01", periods=days)
    flow = xr.DataArray(values, {"time": dates}, ("time",), attrs={"units": "mm d-1"})
    (line,) = flow_duration(flow).lines
    y = line.get_ydata()
    assert y.size < 4000
    np.testing.assert_array_equal(y[:500], days - np.arange(500.0))
    np.testing.assert_array_equal(y[-500:], np.arange(500.0, 0, -1))
    np.testing.assert_allclose(line.get_xdata(), 100 * (days + 1 - y) / (days + 1))


def test_tiny_flows_do_not_flatten_the_picture(flow):
    observed = (flow + 1.0).assign_attrs(flow.attrs)
    tiny = (flow * 1e-12).assign_attrs(flow.attrs)
    assert flow_duration(tiny, observed).get_ylim()[0] > 0.1


def test_a_river_without_water(flow):
    dry = xr.zeros_like(flow).assign_attrs(flow.attrs)
    drawn(flow_duration(dry, dry))
    assert drawn(hydrograph(dry, site=SITE)).get_ylim() == (0, 1.05)


def test_lazy_quantified_and_of_other_calendars(flow):
    import pint

    quantity = flow.copy(data=pint.UnitRegistry().Quantity(flow.values, "mm / day")).drop_attrs()
    dates = xr.date_range("2001-02-01", periods=flow.sizes["time"], calendar="360_day", use_cftime=True)
    for one, label in ((quantity, "mm / d"), (flow.chunk(lat=1), "mm d-1")):
        for draw in (hydrograph, flow_duration):
            ax = drawn(draw(one.assign_coords(time=dates), site=SITE))
            assert ax.get_ylabel() == f"streamflow ({label})"
            assert sorted(ax.lines[0].get_ydata()) == sorted(flow.values[:, 1, -1])


@pytest.mark.parametrize("draw", [hydrograph, flow_duration])
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a.isel(time=slice(1, None)), "expected the same labels along shared dims"),
        (lambda a: a.assign_coords(lon=a["lon"] + 1), "the same labels along shared dims"),
        (lambda a: a.assign_attrs(units="K"), "expected units convertible to"),
        (lambda a: a.drop_attrs(), "expected a units attribute, got none"),
        (lambda a: a.isel(time=0, drop=True), "expected a dim 'time', got dims lat, lon"),
        (lambda a: a.to_dataset(name="q"), "observed: expected a DataArray, got <xarray.Dataset>"),
    ],
)
def test_what_does_not_fit(flow, draw, change, says):
    with pytest.raises(InputErrors, match="plot cannot run") as raised:
        draw(flow, change(flow), SITE)
    assert says in str(raised.value)
    assert plt.get_fignums() == []


def test_other_problems(flow):
    with pytest.raises(InputErrors, match="one series over time, got further dims lon of size 3"):
        hydrograph(flow, site={"lat": 0})
    with pytest.raises(InputErrors, match=r"site\['lat'\]: expected a position from 0 to 1, got 2"):
        flow_duration(flow, site={"lat": 2})
    with pytest.raises(InputErrors, match=r"simulated: expected a DataArray, got \{\}"):
        hydrograph({}, site=SITE)
    with pytest.raises(InputErrors, match="simulated: expected names that are free, got observed"):
        hydrograph({"observed": flow}, flow, SITE)
    nothing = (flow * np.nan).assign_attrs(flow.attrs)
    with pytest.raises(InputErrors, match="observed, simulated: expected days on which all are known"):
        flow_duration(flow, nothing)
    assert plt.get_fignums() == []


def test_in_the_namespace():
    assert xdpl.plot.hydrograph is hydrograph
