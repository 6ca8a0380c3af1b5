"""Outputs write to netCDF and zarr as they are, whatever the input was read from."""

import numpy as np
import pytest
import xarray as xr
from model_cases import MODELS, weather

import xdpl

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
