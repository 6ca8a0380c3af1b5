"""Outputs write to netCDF and zarr as they are, whatever the input was read from."""

import functools

import numpy as np
import pint
import pint_xarray  # noqa: F401
import pytest
import xarray as xr
from helpers_learn import quick, world
from model_cases import MODELS, weather

import xdpl
from xdpl import units

FORMATS = {
    "h5netcdf": (
        lambda ds, path: ds.to_netcdf(path, engine="h5netcdf"),
        lambda path: xr.open_dataset(path, engine="h5netcdf"),
    ),
    "zarr": (
        lambda ds, path: ds.to_zarr(path, zarr_format=2, consolidated=True),
        lambda path: xr.open_dataset(path, engine="zarr"),
    ),
}


@pytest.fixture(params=FORMATS)
def files(request):
    return FORMATS[request.param]


@pytest.mark.parametrize("name", MODELS)
def test_written_and_read_back(name, files, tmp_path):
    write, read = files
    sim = xdpl.simulate(weather(("lat", "lon"), (2, 3)), MODELS[name])
    write(sim, tmp_path / "sim")
    with read(tmp_path / "sim") as back:
        xr.testing.assert_identical(back.load(), sim)


def test_encodings_are_empty(files, tmp_path):
    write, read = files
    write(weather(), tmp_path / "in")
    with read(tmp_path / "in") as ds:
        assert ds["precipitation"].encoding
        sim = xdpl.simulate(ds, "vic")
        assert sim.encoding == {}
        assert {k: v.encoding for k, v in sim.variables.items()} == {k: {} for k in sim.variables}
        assert ds["time"].encoding, "those of the input are left alone"


def test_chunks_of_the_source_do_not_return(tmp_path):
    """Encoded chunks that do not fit the dask chunks break `to_zarr`."""
    ds = weather(("lat", "lon"), (4, 6))
    ds = ds.assign_coords(height=(("lat", "lon"), np.zeros((4, 6))))
    encoding = {k: {"chunks": ds[k].shape} for k in (*ds, "height")}
    ds.to_zarr(tmp_path / "in", encoding=encoding, zarr_format=2, consolidated=True)
    with xr.open_dataset(tmp_path / "in", engine="zarr", chunks={}) as source:
        sim = xdpl.simulate(source.chunk(lat=2, lon=3), "vic")
        sim.to_zarr(tmp_path / "out", zarr_format=2, consolidated=True)
    with xr.open_dataset(tmp_path / "out", engine="zarr") as back:
        xr.testing.assert_equal(back.load(), xdpl.simulate(ds, "vic"))


def placed():
    """Weather at known latitudes."""
    ds = weather(("lat", "lon"), (2, 3), days=366)
    ds["lat"].attrs["units"] = "degrees_north"
    return ds


REGISTRY = pint.UnitRegistry(force_ndarray_like=True)
MADE = ("simulation", "states", "spin-up", "pet", "parameters", "scores")


@functools.cache
def made(registry=None):
    """Whatever is computed, by name, from data with units as attributes or as quantities."""
    fit, ds, learned = quick(), placed(), world()
    if registry is not None:
        ds, learned = quantified(ds, registry), quantified(learned, registry)
    sim, states = xdpl.simulate(ds, "vic", return_states=True)
    return {
        "simulation": sim,
        "states": states,
        "spin-up": xdpl.spin_up(ds, "hbv", tolerance=1000.0),
        "pet": xdpl.pet(ds, "oudin").to_dataset(),
        "parameters": fit.parameters(learned),
        "scores": fit.evaluate(learned),
    }


def quantified(ds, registry):
    """As a user does it, with units that the registry of pint knows."""
    ds = ds.copy()
    for array in ds.data_vars.values():
        array.attrs["units"] = array.attrs["units"].replace(" d-1", "/day").replace("1", "dimensionless", 1)
    coords = {name: None for name in ds.coords}
    out = ds.pint.quantify(coords, unit_registry=registry)
    if "lat" in out.coords:
        # pint does not know degrees_north, and takes the attribute all the same.
        out["lat"].attrs["units"] = "degrees_north"
    return out


def written(ds, path):
    ds.to_netcdf(path, engine="h5netcdf")
    return xr.open_dataset(path, engine="h5netcdf").load()


@pytest.mark.parametrize("name", MADE)
def test_units_survive_netcdf(name, tmp_path):
    ds = made()[name]
    back = written(ds, tmp_path / "out.nc")
    said = {k: v.attrs.get("units") for k, v in ds.items()}
    assert {k: v.attrs.get("units") for k, v in back.items()} == said
    assert {v for v in said.values() if v is not None} <= {"mm d-1", "mm", "m3 m-3", "d-1", "1"}
    xr.testing.assert_identical(back, ds)


@pytest.mark.parametrize("name", MADE)
def test_units_of_quantities_survive_netcdf(name, tmp_path):
    ds, declared = made(REGISTRY)[name], made()[name]
    assert any(units.is_quantified(v) for v in ds.values())
    back = written(ds.pint.dequantify(), tmp_path / "out.nc")
    for key, array in declared.items():
        if "units" not in array.attrs:  # labels of groups
            continue
        assert units.is_quantified(ds[key])
        assert units.linear(units.read(back[key]), array.attrs["units"]) == (1.0, 0.0), key
        np.testing.assert_allclose(back[key], array, rtol=1e-12)


def test_states_and_parameters_are_taken_from_files(tmp_path):
    """Files of quantities have units as pint writes them."""
    quantities = made(REGISTRY)
    ds, plain = placed(), made()
    start = written(quantities["states"].pint.dequantify(), tmp_path / "states.nc").drop_vars("time")
    sim = xdpl.simulate(ds, "vic", initial=start)
    xr.testing.assert_equal(sim, xdpl.simulate(ds, "vic", initial=plain["states"].drop_vars("time")))
    demand = written(quantities["pet"].pint.dequantify(), tmp_path / "pet.nc")
    xr.testing.assert_equal(
        xdpl.simulate(ds.assign(demand), "vic"), xdpl.simulate(ds.assign(plain["pet"]), "vic")
    )
    theta = written(quantities["parameters"].pint.dequantify(), tmp_path / "theta.nc")
    model = quick().model
    xr.testing.assert_equal(
        xdpl.simulate(world(), model, theta), xdpl.simulate(world(), model, plain["parameters"])
    )
