"""The table in docs/reference/datasets.md, cell by cell: each function is run on each kind of dataset."""

import functools
from pathlib import Path

import array_api_strict
import dask.array
import matplotlib.pyplot
import numpy as np
import pint
import pytest
import xarray as xr
from helpers_learn import fitted, twin
from helpers_regionalise import of_twin, twin_truth

import xdpl
from xdpl import units

matplotlib.use("agg")

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "datasets.md"
ATTRIBUTES = ["sand", "clay", "ndvi", "elevation"]


def _table():
    """Cells by function and column."""
    lines = [line for line in PAGE.read_text("utf8").splitlines() if line.startswith("|")]
    rows = [line.strip("| ").split(" | ") for line in lines]
    head, _, *body = rows
    return {row[0].strip("`"): dict(zip(head[1:], row[1:], strict=True)) for row in body}


def _pair(ds):
    return ds["soil_moisture"], ds["soil_moisture"]


def _intervals(ds):
    """Of clay, 10 below to 10 above."""
    levels = xr.DataArray([-10.0, 10.0], {"quantile": [0.05, 0.95]}, "quantile")
    clay = units.dequantify(ds["clay"])
    shifted = xr.concat([clay.copy(data=clay.data + float(v)) for v in levels], levels["quantile"])
    return units.quantify_like(shifted.assign_attrs(clay.attrs).to_dataset(name="clay"), ds["clay"])


@functools.cache
def _posterior():
    return xdpl.uncertainty.deep_ensemble(xdpl.fit.Ensemble((fitted(), fitted())), twin())


CALLS = {
    "simulate": lambda ds, _: xdpl.simulate(ds, "vic"),
    "spin_up": lambda ds, _: xdpl.spin_up(ds, "vic", tolerance=1e6),
    "pet": lambda ds, _: xdpl.pet(ds, "oudin"),
    "check": lambda ds, _: xdpl.check(ds, "vic"),
    "to_zarr": lambda ds, path: ds[["precipitation"]].dpl.to_zarr(path / "store", progress=False),
    "to_table": lambda ds, path: xdpl.to_table(ds[["sand"]], path / "table.csv"),
    "learn": lambda ds, _: xdpl.learn(
        ds, "vic", target="soil_moisture", attributes=ATTRIBUTES, epochs=1, window=30, progress=False
    ),
    "calibrate": lambda ds, _: xdpl.calibrate(
        ds, "vic", target="soil_moisture", warmup=30, evaluations=30, progress=False
    ),
    "cross_validate": lambda ds, _: xdpl.cross_validate(
        ds,
        "vic",
        protocol=xdpl.evaluation.UngaugedRegions(k=2),
        train=slice("2001-01", "2001-06"),
        test=slice("2001-07", None),
        target="soil_moisture",
        attributes=ATTRIBUTES,
        epochs=1,
        window=30,
        progress=False,
    ),
    "regionalise": lambda ds, _: xdpl.regionalise(
        ds, "vic", twin_truth(ds), target="soil_moisture", attributes=ATTRIBUTES
    ),
    "Fit.parameters": lambda ds, _: fitted().parameters(ds),
    "Fit.simulate": lambda ds, _: fitted().simulate(ds),
    "Fit.evaluate": lambda ds, _: fitted().evaluate(ds),
    "Fit.report": lambda ds, path: fitted().report(
        path / "report.html", ds, sites=1, identifiability=False, progress=False
    ),
    "Fit.plot.parameters": lambda ds, _: fitted().plot.parameters(ds, ["ksat"]),
    "Fit.plot.series": lambda ds, _: fitted().plot.series(ds, {"lat": 1, "lon": -1}),
    "Fit.plot.scatter": lambda ds, _: fitted().plot.scatter(ds),
    "Fit.plot.hydrograph": lambda ds, _: fitted().plot.hydrograph(ds, {"lat": 1, "lon": -1}),
    "Fit.plot.flow_duration": lambda ds, _: fitted().plot.flow_duration(ds),
    "Fit.plot.cdf": lambda ds, _: fitted().plot.cdf(ds, "fhv"),
    "Regionalisation.parameters": lambda ds, _: of_twin("similarity").parameters(ds),
    "Regionalisation.simulate": lambda ds, _: of_twin("nearest").simulate(ds),
    "Regionalisation.evaluate": lambda ds, _: of_twin("regression").evaluate(ds),
    "evaluation.metrics": lambda ds, _: xdpl.evaluation.metrics(*_pair(ds)),
    "evaluation.pooled": lambda ds, _: xdpl.evaluation.pooled(*_pair(ds)),
    "evaluation.flow_metrics": lambda ds, _: xdpl.evaluation.flow_metrics(*_pair(ds)),
    "evaluation.baseflow_index": lambda ds, _: xdpl.evaluation.baseflow_index(*_pair(ds)),
    "evaluation.site_correlation": lambda ds, _: xdpl.evaluation.site_correlation(ds["clay"], ds["sand"]),
    "evaluation.water_balance": lambda ds, _: xdpl.evaluation.water_balance(ds, target="precipitation"),
    "evaluation.morans_i": lambda ds, _: xdpl.evaluation.morans_i(ds["sand"]),
    "evaluation.nugget": lambda ds, _: xdpl.evaluation.nugget(ds["sand"]),
    "evaluation.at_bounds": lambda ds, _: xdpl.evaluation.at_bounds(twin_truth(ds), "vic"),
    "evaluation.identifiability": lambda ds, _: xdpl.evaluation.identifiability(
        ds, "vic", None, target="soil_moisture", noise=0.02, positions=3
    ),
    "evaluation.standard_errors": lambda ds, _: xdpl.evaluation.standard_errors(
        ds, "vic", None, target="soil_moisture", noise=0.02, attributes=["sand"]
    ),
    "evaluation.gradient_audit": lambda ds, _: xdpl.evaluation.gradient_audit(
        ds, "vic", None, target="soil_moisture"
    ),
    "evaluation.transfer_test": lambda ds, _: xdpl.evaluation.transfer_test(fitted(), ds),
    "evaluation.perturbation_response": lambda ds, _: xdpl.evaluation.perturbation_response(
        ds, "vic", relative={"precipitation": 0.1}
    ),
    "evaluation.coverage": lambda ds, _: xdpl.evaluation.coverage(_intervals(ds), ds[["clay"]]),
    "export.by_class": lambda ds, _: xdpl.export.by_class(
        ds[["sand"]], xr.zeros_like(twin()["sand"], int).drop_attrs()
    ),
    "Posterior.parameters": lambda ds, _: _posterior().parameters(ds, samples=2),
    "Posterior.parameter_intervals": lambda ds, _: _posterior().parameter_intervals(ds),
    "Posterior.simulate": lambda ds, _: _posterior().simulate(ds, samples=2),
    "Posterior.prediction_intervals": lambda ds, _: _posterior().prediction_intervals(
        ds, observed=True, samples=10
    ),
}

TABLE = _table()
OF_ALL_SITES = {
    f"evaluation.{name}"
    for name in ("at_bounds", "coverage", "morans_i", "nugget", "pooled", "site_correlation")
}


def _call(function, ds, path):
    return CALLS[function](ds, path)


def _quantified():
    registry = pint.UnitRegistry(force_ndarray_like=True)
    ds = twin()
    for name, array in ds.data_vars.items():
        unit = registry.Unit(f"{units.parse(array.attrs['units']):D}")
        attrs = {k: v for k, v in array.attrs.items() if k != "units"}
        ds[name] = (array.dims, registry.Quantity(array.values, unit), attrs)
    return ds, registry


def _arrays(result):
    """Arrays of a result, but for labels of groups and truths; none if it is no dataset."""
    if isinstance(result, xr.DataArray):
        result = result.to_dataset()
    if not isinstance(result, xr.Dataset):
        return []
    return [
        v.variable._data
        for v in result.data_vars.values()
        if "flag_values" not in v.attrs and v.dtype != bool
    ]


@pytest.fixture(autouse=True)
def closed():
    yield
    matplotlib.pyplot.close("all")


def test_every_row_has_a_call():
    assert list(TABLE) == list(CALLS)


@pytest.mark.parametrize("function", TABLE)
def test_dask(function, tmp_path, counter):
    ds = twin().chunk(time=-1, lat=2)
    result = _call(function, ds, tmp_path)
    cell = TABLE[function]["dask"]
    assert (counter.calls > 0) == (cell == "computes")
    if cell != "lazy":
        assert cell in ("computes", "computes nothing")
        return
    assert all(isinstance(a, dask.array.Array) for a in _arrays(result))
    blocks = [a.numblocks for a in _arrays(result) if a.ndim >= 2]
    assert set(blocks) <= {(3, 1), (1, 3, 1), (1, 1, 3, 1)}
    assert bool(blocks) == (function not in OF_ALL_SITES)


@pytest.mark.parametrize("function", TABLE)
def test_arrays_of_another_device(function, tmp_path):
    # Arrays that `np.asarray` refuses, as those of a GPU.
    device = array_api_strict.Device("device1")
    cell = TABLE[function]["arrays of a GPU"]
    ds = twin().map(lambda a: a.copy(data=array_api_strict.asarray(a.values.copy(), device=device)))
    arrays = _arrays(_call(function, ds, tmp_path))
    if cell == "stay":
        assert arrays and all(a.device == device for a in arrays)
    elif cell == "to host":
        assert arrays and all(isinstance(a, np.ndarray | dask.array.Array) for a in arrays)
    else:
        assert cell == "read" and not arrays


@pytest.mark.parametrize("function", TABLE)
def test_quantities(function, tmp_path):
    ds, registry = _quantified()
    result = _call(function, ds, tmp_path)
    cell = TABLE[function]["quantities"]
    arrays = _arrays(result)
    if cell == "stay":
        assert arrays and all(isinstance(a, registry.Quantity) for a in arrays)
    elif cell == "to attributes":
        said = {v.attrs["units"] for v in result.values()}
        assert said == {"millimeter / day" if function == "to_zarr" else "percent"}
    else:
        assert cell == "read" and not arrays


@pytest.mark.parametrize("function", TABLE)
def test_trees(function, tmp_path):
    cell = TABLE[function]["DataTree"]
    if cell == "–":
        assert function.startswith("evaluation.")
        return
    ds = twin()
    tree = xr.DataTree.from_dict({"/a": ds.isel(lat=[0, 1]), "/b": ds.isel(lat=[2]), "/c": xr.Dataset()})
    if cell == "yes":
        assert [node.path for node in _call(function, tree, tmp_path).leaves] == ["/a", "/b"]
    else:
        assert cell == "no"
        with pytest.raises((AttributeError, NotImplementedError, TypeError, ValueError)):
            _call(function, tree, tmp_path)


# Labels are text, of which zarr before 3.1 warns.
@pytest.mark.filterwarnings(
    "ignore:The (codec|dtype) .* is currently not part in the Zarr format:UserWarning"
)
@pytest.mark.parametrize("function", TABLE)
def test_files(function, tmp_path):
    result = _call(function, twin(), tmp_path)
    cell = TABLE[function]["to netCDF and zarr"]
    if cell != "as it is":
        assert cell == {
            "to_zarr": "is a store",
            "learn": "`fit.save`",
            "regionalise": "`regional.save`",
        }.get(function, "–")
        return
    result = result.to_dataset() if isinstance(result, xr.DataArray) else result
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    result.to_zarr(tmp_path / "result.zarr", consolidated=False)
    for back in (
        xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf"),
        xr.open_zarr(tmp_path / "result.zarr", consolidated=False),
    ):
        with back:
            said = {k: v.attrs.get("units") for k, v in back.items()}
            assert said == {k: v.attrs.get("units") for k, v in result.items()}
            xr.testing.assert_equal(back.load(), result)
