"""simulate(): site shapes, dimension order, coordinates, missing sites, attributes."""

import json

import numpy as np
import pytest
import xarray as xr
from model_cases import MODELS, weather

import xdpl
from xdpl.engines import run
from xdpl.errors import InputErrors
from xdpl.models.vic import VIC


def ready(ds, name="vic"):
    return xdpl.simulate(ds, MODELS[name])


@pytest.mark.parametrize("name", MODELS)
def test_equals_the_engine(name):
    model, ds = MODELS[name], weather()
    theta = {k: np.full(3, v) for k, v in model.defaults().items()}
    expected, _ = run("numba", model, {k: v.values for k, v in ds.items()}, theta, outputs=model.outputs)
    sim = ready(ds, name)
    assert list(sim.data_vars) == list(model.outputs)
    for key, value in expected.items():
        assert sim[key].dims == ("time", "basin")
        np.testing.assert_array_equal(sim[key].values, value)


@pytest.mark.parametrize("name", MODELS)
def test_grid_list_and_point_give_the_same_numbers(name):
    grid = weather(("lat", "lon"), (2, 3))
    basins = grid.stack(basin=("lat", "lon")).reset_index("basin")
    of_grid, of_basins = ready(grid, name), ready(basins, name)
    for key in of_grid:
        assert of_grid[key].dims == ("time", "lat", "lon")
        np.testing.assert_array_equal(of_grid[key].values.reshape(40, 6), of_basins[key].values)
        of_point = ready(grid.isel(lat=1, lon=2), name)[key]
        assert of_point.dims == ("time",)
        np.testing.assert_array_equal(of_point.values, of_grid[key].values[:, 1, 2])


@pytest.mark.parametrize("order", [("time", "lat", "lon"), ("lat", "time", "lon"), ("lon", "lat", "time")])
def test_dimension_order_is_restored(order):
    ds = weather(("lat", "lon"), (2, 3))
    sim = ready(ds.transpose(*order))
    assert all(sim[key].dims == order for key in sim)
    xr.testing.assert_equal(sim.transpose("time", "lat", "lon"), ready(ds).transpose("time", "lat", "lon"))


def test_forcings_on_fewer_dims_are_broadcast():
    ds = weather(("lat", "lon"), (2, 3))
    ds["air_temperature"] = ds["air_temperature"].isel(lat=0, lon=0, drop=True)
    ds["precipitation"] = ds["precipitation"].isel(lon=1, drop=True)
    sim = ready(ds)
    full = ds.copy()
    for key in ("air_temperature", "precipitation"):
        spread = ds[key].broadcast_like(ds["potential_evapotranspiration"])
        full[key] = spread.transpose("time", "lat", "lon").assign_attrs(ds[key].attrs)
    for key in sim:
        assert set(sim[key].dims) == {"time", "lat", "lon"}
        np.testing.assert_array_equal(sim[key].transpose("time", "lat", "lon"), ready(full)[key])


def test_coordinates_are_restored():
    ds = weather(("y", "x"), (2, 3))
    ds = ds.assign_coords(
        lat=(("y", "x"), np.arange(6.0).reshape(2, 3), {"units": "degrees_north"}),
        name=("x", ["a", "b", "c"]),
        crs=0,
        season=("time", ["s"] * 40),
        unused=("other", [1, 2]),
    )
    sim = ready(ds)
    assert set(sim.coords) == {"time", "y", "x", "lat", "name", "crs", "season"}
    for key in sim.coords:
        xr.testing.assert_identical(sim.coords[key].reset_coords(drop=True), ds[key].reset_coords(drop=True))


def test_ocean_comes_back_as_nan():
    ds = weather(("lat", "lon"), (2, 3))
    whole = ready(ds)
    land = xr.DataArray([[True, False, True], [True, True, False]], dims=("lat", "lon"))
    for masked in (["precipitation"], ["air_temperature", "precipitation"], list(ds)):
        some = ds.assign({k: ds[k].where(land).assign_attrs(ds[k].attrs) for k in masked})
        sim = ready(some)
        for key in sim:
            np.testing.assert_array_equal(sim[key], whole[key].where(land))
    nowhere = ready(ds.assign(precipitation=(ds["precipitation"] * np.nan).assign_attrs(units="mm d-1")))
    assert nowhere.sizes == whole.sizes
    assert all(nowhere[key].isnull().all() for key in nowhere)


def test_gaps_in_a_forcing_raise():
    ds = weather()
    ds["air_temperature"][7, 1] = np.nan
    ds["precipitation"][3:5, :2] = np.nan
    with pytest.raises(InputErrors) as caught:
        ready(ds)
    text = str(caught.value)
    assert "air_temperature: expected no gaps in time" in text
    assert "NaN at some times at 1 of 3 sites" in text
    assert "NaN at some times at 2 of 3 sites" in text
    assert '.interpolate_na("time")' in text


def test_inputs_are_not_changed():
    ds = weather(("lat", "lon"), (2, 3)).assign_attrs(title="mine")
    copy = ds.copy(deep=True)
    ready(ds)
    xr.testing.assert_identical(ds, copy)


@pytest.mark.parametrize("name", MODELS)
def test_attributes_are_those_declared_and_no_others(name):
    ds = weather().assign_attrs(title="mine", comment="of the forcings")
    for key in ds:
        ds[key].attrs |= {"cell_methods": "time: sum", "long_name": "mine", "valid_range": [0, 1]}
    model = MODELS[name]
    everything = list(model.all_outputs())
    with xr.set_options(keep_attrs=True):
        sim = xdpl.simulate(ds, model, outputs=everything)
    for key in everything:
        declared = model.output(key)
        expected = {"units": declared.units, "long_name": declared.long_name or key.replace("_", " ")}
        if declared.standard_name:
            expected["standard_name"] = declared.standard_name
        assert sim[key].attrs == expected
    assert sim.attrs["title"] == f"{model.name} simulation"
    assert "comment" not in sim.attrs
    assert f"created by xdpl {xdpl.__version__}" in sim.attrs["history"]
    assert sim.attrs["xdpl_version"] == xdpl.__version__
    assert sim.attrs["model_options"] == json.dumps(model.options())
    assert json.loads(sim.attrs["forcings"]) == {k: k for k in ds}
    assert json.loads(sim.attrs["default_parameters"]) == [p.name for p in model.parameters]


def test_the_model_hash_tells_models_apart():
    hashes = {ready(weather(), name).attrs["model_hash"] for name in MODELS}
    assert len(hashes) == len(MODELS)
    assert ready(weather()).attrs["model_hash"] == ready(weather(seed=1)).attrs["model_hash"]


def test_outputs_are_those_asked_for_in_that_order():
    ds = weather()
    assert list(ds.dpl.simulate("vic", outputs=["w3", "runoff"])) == ["w3", "runoff"]
    assert list(ds.dpl.simulate("vic", outputs="w3")) == ["w3"]
    assert list(ds.dpl.simulate("vic", outputs=["w3", "w3"])) == ["w3"]


@pytest.mark.parametrize("outputs", [["w4"], []])
def test_outputs_must_be_known(outputs):
    with pytest.raises(InputErrors, match="outputs: expected"):
        weather().dpl.simulate("vic", outputs=outputs)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("stored", "asked", "computed"),
    [("f4", None, "f4"), ("f8", None, "f8"), ("f8", "f4", "f4"), ("f4", "f8", "f8"), ("i8", None, "f8")],
)
def test_floating_type(stored, asked, computed, lazy):
    ds = weather().astype(stored)
    expected = ready(ds.astype("f8"))
    ds = ds.chunk(basin=1) if lazy else ds
    theta = xr.Dataset({"ksat": ("basin", [300.0, 500.0, 700.0], {"units": "mm d-1"})})
    expected = xdpl.simulate(ds.astype("f8"), "vic", theta).compute()
    sim = xdpl.simulate(ds, "vic", theta, dtype=asked)
    for key in sim:
        assert sim[key].dtype == sim[key].compute().dtype == np.dtype(computed)
        np.testing.assert_allclose(
            sim[key], expected[key], rtol=1e-2 if "f4" in computed else 1e-12, atol=1e-4
        )


def test_one_forcing_in_double_precision_computes_in_double():
    ds = weather().astype("f4")
    ds["air_temperature"] = ds["air_temperature"].astype("f8")
    assert ready(ds)["runoff"].dtype == np.float64


@pytest.mark.parametrize("dtype", [int, "complex128", "no such type"])
def test_floating_type_must_be_one(dtype):
    with pytest.raises(InputErrors, match="dtype: expected a floating type"):
        weather().dpl.simulate("vic", dtype=dtype)


def test_engine_by_name():
    ds = weather()
    xr.testing.assert_identical(ds.dpl.simulate("vic", engine="numba"), ready(ds))
    xr.testing.assert_allclose(ds.dpl.simulate("vic", engine="array"), ready(ds), rtol=1e-12)
    with pytest.raises(InputErrors, match="'array', 'cuda', 'numba' or None"):
        ds.dpl.simulate("vic", engine="fortran")
    with pytest.raises(InputErrors, match=r"engine: expected arrays on the GPU .* got arrays on the CPU"):
        ds.dpl.simulate("vic", engine="cuda")


def test_unknown_model_names_the_closest():
    with pytest.raises(InputErrors, match=r"got 'vix'; fix: use 'vic'"):
        weather().dpl.simulate("vix")


def test_progress_shows_and_changes_nothing(capsys):
    ds = weather()
    sim = ds.dpl.simulate("vic", progress=True)
    assert "1/1" in capsys.readouterr().err
    xr.testing.assert_equal(sim, ready(ds))


def test_other_time_step():
    ds = weather(days=48)
    ds = ds.assign_coords(time=xr.date_range("2001-01-01", periods=48, freq="h", use_cftime=False))
    sim = xdpl.simulate(
        ds, VIC(dt=1 / 24), outputs=["w1", "w2", "w3", "snowpack", "runoff", "evapotranspiration"]
    )
    held = sim["w1"] + sim["w2"] + sim["w3"] + sim["snowpack"]
    flow = ds["precipitation"] - sim["runoff"] - sim["evapotranspiration"]
    np.testing.assert_allclose(held.diff("time"), flow.isel(time=slice(1, None)) / 24, atol=1e-11)


def test_infinite_forcing_raises():
    ds = weather()
    ds["precipitation"][3, 1] = np.inf
    with pytest.raises(InputErrors, match="precipitation: expected finite values"):
        xdpl.simulate(ds, "vic")
