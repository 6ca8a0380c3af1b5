"""However a dataset lays its data out, the physics is the same.

A dataset is disguised: order of dims and of labels, chunks, precision, units, quantities, names, sites
without data. What comes out, put back in order and in declared units, is what the plain dataset gives.
"""

import functools

import numpy as np
import pint
import pytest
import xarray as xr
from helpers_learn import quick, world
from hypothesis import given, settings
from hypothesis import strategies as st
from model_cases import MODELS, weather

import xdpl
from xdpl import units

REGISTRY = pint.UnitRegistry(force_ndarray_like=True)

# As slope and offset from the declared unit, by hand; and as pint writes the unit.
FLOWS = {
    "mm d-1": (1.0, 0.0, "mm/day"),
    "mm/day": (1.0, 0.0, "mm/day"),
    "kg m-2 s-1": (1.0 / 86400.0, 0.0, "kg/m**2/s"),
    "inch/day": (1.0 / 25.4, 0.0, "inch/day"),
    "m s-1": (1.0 / 86.4e6, 0.0, "m/s"),
    "cm/h": (1.0 / 240.0, 0.0, "cm/hour"),
}
TEMPERATURES = {
    "degC": (1.0, 0.0, "degC"),
    "K": (1.0, 273.15, "kelvin"),
    "degF": (1.8, 32.0, "degF"),
}
FRACTIONS = {"percent": (100.0, 0.0, "percent"), "1": (1.0, 0.0, "dimensionless")}
STANDARD_NAMES = {
    "precipitation": "lwe_precipitation_rate",
    "air_temperature": "air_temperature",
    "potential_evapotranspiration": "water_potential_evapotranspiration_flux",
}
# float32 holds a temperature in K to 2e-5 degC, and the stores add it up.
TOLERANCES = {"float64": {"rtol": 1e-9, "atol": 1e-9}, "float32": {"rtol": 2e-3, "atol": 2e-3}}


@functools.cache
def plain(sites):
    """Forcings in declared units, by their names, with a latitude."""
    ds = weather(("basin",), (5,)) if sites == 1 else weather(("lat", "lon"), (2, 3))
    if sites == 1:
        ds = ds.assign_coords(lat=("basin", np.linspace(-30.0, 60.0, 5)))
    ds["lat"].attrs["units"] = "degrees_north"
    return ds


def disguises(dims, sizes, known, found):
    """Strategy of disguises of variables: `known` gives their units, `found` the ways they are found."""
    orders = st.permutations(dims)
    return st.fixed_dictionaries(
        {
            "orders": st.fixed_dictionaries({k: orders for k in known}),
            "labels": st.fixed_dictionaries({d: st.permutations(range(n)) for d, n in sizes.items()}),
            "chunks": st.none() | st.fixed_dictionaries({d: st.integers(1, n) for d, n in sizes.items()}),
            "dtype": st.sampled_from(["float32", "float64"]),
            "units": st.fixed_dictionaries({k: st.sampled_from(list(v)) for k, v in known.items()}),
            "quantified": st.just(frozenset()) | st.frozensets(st.sampled_from(sorted(known)), min_size=1),
            "found": st.fixed_dictionaries({k: st.sampled_from(found) for k in known}),
            "missing": st.frozensets(st.tuples(*(st.integers(0, n - 1) for n in sizes.values())), max_size=4),
        }
    )


def without(ds, missing, dims, names):
    """NaN in some variables at some sites, all the time."""
    gone = xr.DataArray(np.zeros([ds.sizes[d] for d in dims], bool), dims=dims)
    for site in missing:
        gone[site] = True
    return ds.assign({k: ds[k].where(~gone).assign_attrs(ds[k].attrs) for k in names})


def disguised(ds, d, known):
    """The dataset in disguise, and the mapping that finds what only a mapping can find."""
    mapping = {k: f"x_{k}" for k, way in d["found"].items() if way == "mapping"}
    names = mapping | {k: f"y_{k}" for k, way in d["found"].items() if way == "standard name"}
    out = ds.isel({k: list(v) for k, v in d["labels"].items()})
    for name, choices in known.items():
        slope, offset, unit = choices[d["units"][name]]
        array = (out[name].drop_attrs(deep=False) * slope + offset).astype(d["dtype"])
        array = array.transpose(*(dim for dim in d["orders"][name] if dim in array.dims))
        if d["chunks"] is not None:
            array = array.chunk({k: n for k, n in d["chunks"].items() if k in array.dims})
        if d["found"][name] == "standard name":
            array.attrs["standard_name"] = STANDARD_NAMES[name]
        if name in d["quantified"]:
            array = array.copy(data=REGISTRY.Quantity(array.data, unit))
        else:
            array.attrs["units"] = d["units"][name]
        out = out.drop_vars(name).assign({names.get(name, name): array})
    return out, mapping, names


def snapshot(ds):
    return {
        k: (v.dims, dict(v.attrs), id(v._data), np.array(units.magnitude(ds[k]).values))
        for k, v in ds.variables.items()
    }


def assert_untouched(ds, before):
    now = snapshot(ds)
    assert now.keys() == before.keys()
    for key, (*said, values) in now.items():
        assert said == list(before[key][:-1])
        np.testing.assert_array_equal(values, before[key][-1])


def assert_labelled(out, order, ds, declared, *, quantified, lazy):
    """Dims in order, coordinates as they were, units as declared and in the form they came in."""
    for name, array in out.data_vars.items():
        assert array.dims == tuple(dim for dim in ("lag", *order) if dim in array.dims)
        assert (units.magnitude(array).chunks is not None) is lazy
        assert units.is_quantified(array) is quantified
        if quantified:
            assert "units" not in array.attrs
            assert array.data._REGISTRY is REGISTRY
            assert units.linear(units.read(array), declared[name]) == (1.0, 0.0)
        else:
            assert array.attrs["units"] == declared[name]
    for name, coord in out.coords.items():
        if coord.dims and name != "lag":
            xr.testing.assert_identical(coord.variable, ds[name].variable)


def in_order(out, like):
    """Values on the host, dims and labels as in a plain result."""
    out = out.map(units.magnitude).compute()
    out = out.sel({dim: like[dim] for dim in like.dims})
    dims = ("lag", *next(iter(like.values())).dims)
    return out.transpose(*(dim for dim in dims if dim in out.dims))


def declared_units(model, names):
    declared = (*model.fluxes, *model.states, *model.route_states)
    return {d.name: d.units for d in declared if d.name in names}


RUNS = {"precipitation": FLOWS, "air_temperature": TEMPERATURES, "potential_evapotranspiration": FLOWS}
ONE = disguises(("time", "basin"), {"basin": 5}, RUNS, ["name", "standard name", "mapping"])
TWO = disguises(("time", "lat", "lon"), {"lat": 2, "lon": 3}, RUNS, ["name", "standard name", "mapping"])


@functools.cache
def expected(sites, name, missing):
    dims = ("basin",) if sites == 1 else ("lat", "lon")
    ds = without(plain(sites), missing, dims, ["precipitation"])
    return xdpl.simulate(ds, MODELS[name], return_states=True)


@pytest.mark.parametrize("name", ["hbv", "vic"])
@given(data=st.one_of(ONE.map(lambda d: (1, d)), TWO.map(lambda d: (2, d))))
@settings(max_examples=60)
def test_simulate(name, data):
    (sites, d), model = data, MODELS[name]
    dims = ("basin",) if sites == 1 else ("lat", "lon")
    ds, mapping, _ = disguised(without(plain(sites), d["missing"], dims, ["precipitation"]), d, RUNS)
    before = snapshot(ds)
    results = xdpl.simulate(ds, model, forcings=mapping, return_states=True)
    for out, wanted in zip(results, expected(sites, name, d["missing"]), strict=True):
        declared = declared_units(model, wanted)
        quantified, lazy = bool(d["quantified"]), d["chunks"] is not None
        assert_labelled(out, d["orders"]["precipitation"], ds, declared, quantified=quantified, lazy=lazy)
        assert {str(units.magnitude(v).dtype) for v in out.values()} == {d["dtype"]}
        got = in_order(out, wanted)
        for key, array in wanted.items():
            np.testing.assert_array_equal(np.isnan(got[key]), np.isnan(array))
            np.testing.assert_allclose(got[key], array, **TOLERANCES[d["dtype"]], err_msg=key)
    assert_untouched(ds, before)


@given(data=st.one_of(ONE.map(lambda d: (1, d)), TWO.map(lambda d: (2, d))))
@settings(max_examples=60)
def test_pet(data):
    sites, d = data
    dims = ("basin",) if sites == 1 else ("lat", "lon")
    base = without(plain(sites), d["missing"], dims, ["air_temperature"])
    ds, mapping, _ = disguised(base, d, RUNS)
    mapping = {k: v for k, v in mapping.items() if k == "air_temperature"}
    before = snapshot(ds)
    out = xdpl.pet(ds, "oudin", forcings=mapping).to_dataset()
    wanted = xdpl.pet(base, "oudin").to_dataset()
    assert_labelled(
        out,
        d["orders"]["air_temperature"],
        ds,
        {"potential_evapotranspiration": "mm d-1"},
        quantified="air_temperature" in d["quantified"],
        lazy=d["chunks"] is not None,
    )
    assert str(units.magnitude(out["potential_evapotranspiration"]).dtype) == d["dtype"]
    got = in_order(out, wanted)["potential_evapotranspiration"]
    # 2e-5 degC, next to the threshold of the formula.
    tolerance = {"float64": {"rtol": 1e-9, "atol": 1e-9}, "float32": {"rtol": 1e-4, "atol": 1e-4}}
    np.testing.assert_allclose(got, wanted["potential_evapotranspiration"], **tolerance[d["dtype"]])
    assert_untouched(ds, before)


LEARNED = {"precipitation": FLOWS, "runoff": FLOWS, "sand": FRACTIONS, "clay": FRACTIONS}
FITS = disguises(("time", "lat", "lon"), {"lat": 2, "lon": 3}, LEARNED, ["name"])


@functools.cache
def fit():
    return quick()


@functools.cache
def scene(missing):
    """The world with declared units only, some sites without attributes and rain; what a fit gives there."""
    ds = world()
    ds["sand"] = (ds["sand"] / 100.0).assign_attrs(units="1")
    ds = without(ds, missing, ("lat", "lon"), ["precipitation", "sand", "clay"])
    return ds, fit().parameters(ds), fit().evaluate(ds)


@given(d=FITS)
@settings(max_examples=25)
def test_fit(d):
    base, parameters, scores = scene(d["missing"])
    ds, _, _ = disguised(base, d, LEARNED)
    before = snapshot(ds)
    lazy = d["chunks"] is not None

    theta = fit().parameters(ds)
    declared = {p.name: p.units for p in fit().model.parameters}
    # Attributes may have dims of any order each; parameters take those of the first.
    attributes = bool(d["quantified"] & {"sand", "clay"})
    assert_labelled(theta, d["orders"]["sand"], ds, declared, quantified=attributes, lazy=lazy)
    got = in_order(theta, parameters)
    for key, array in parameters.items():
        np.testing.assert_array_equal(np.isnan(got[key]), np.isnan(array))
        np.testing.assert_allclose(got[key], array, rtol=1e-4)

    out = fit().evaluate(ds)
    target = units.read(ds["runoff"])
    slope, _ = units.linear(target, "mm d-1")
    dimensional = {k for k, v in scores.items() if v.attrs.get("units") == "mm d-1"}
    assert {"rmse", "bias"} < dimensional
    kind = "runoff" in d["quantified"]
    said = {k: target if k in dimensional else "1" for k in scores}
    assert_labelled(out, d["orders"]["precipitation"], ds, said, quantified=kind, lazy=lazy)
    got = in_order(out, scores)
    for key, array in scores.items():
        factor = slope if key in dimensional else 1.0
        np.testing.assert_allclose(got[key] * factor, array, rtol=1e-3, atol=1e-4, err_msg=key)
    assert_untouched(ds, before)
