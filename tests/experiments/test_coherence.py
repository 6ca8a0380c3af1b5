"""Maps of parameters measured: against the functions themselves, and against the known truth."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

import xdpl
from xdpl.errors import InputErrors
from xdpl.evaluation import at_bounds, morans_i, nugget
from xdpl.experiments import Case, coherence
from xdpl.experiments.maps import MAPS, on_scale
from xdpl.experiments.reports import coherence as coherence_report

SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def case():
    ds = xdpl.data.twin(shape=(4, 5), years=2)
    ds["soil_moisture"] = ds["soil_moisture"].where((ds["lat"] > 35.0) | (ds["lon"] > -105.0))
    ds["soil_moisture"].attrs["units"] = "m3 m-3"
    return Case(
        "small",
        ds,
        "vic",
        "soil_moisture",
        ("sand", "clay", "ndvi"),
        slice("2001", "2001"),
        slice("2002", None),
        learn={"epochs": 3, "window": 90},
        calibrate={"objective": "rmse", "warmup": 30, "evaluations": 60},
    )


@pytest.fixture(scope="module")
def result(case, tmp_path_factory):
    return coherence(case, seeds=SEEDS, neighbours=4, out=tmp_path_factory.mktemp("parts"), progress=False)


def calibrated(case, seed):
    return case.ds.dpl.calibrate(
        "vic", target="soil_moisture", train=case.train, seed=seed, progress=False, **case.calibrate
    )


def test_measures_are_those_of_the_functions_themselves(case, result):
    theta = calibrated(case, 1)
    found = result.sel(contender="calibrated", seed=1)
    # `ksat` is searched on a logarithmic scale, `porosity` on its own.
    for name, field in (("porosity", theta["porosity"]), ("ksat", np.log(theta["ksat"]))):
        part = found.sel(parameter=name)
        np.testing.assert_allclose(part["morans_i"], morans_i(field, neighbours=4))
        np.testing.assert_allclose(part["nugget_fraction"], nugget(field)["nugget_fraction"], atol=1e-4)
        true = case.ds[f"true_{name}"].where(case.usable())
        expected = spearmanr(field.values.ravel(), true.values.ravel(), nan_policy="omit").statistic
        np.testing.assert_allclose(part["truth_correlation"], expected)
    expected = at_bounds(theta)
    assert list(found["parameter"].values) == list(expected)
    np.testing.assert_allclose(found["at_bounds"], [float(v) for v in expected.values()])


def test_learned_maps_are_of_all_sites_that_take_part(case, result):
    sites = case.usable()
    assert int(sites.sum()) == 19
    fit = case.ds.dpl.learn(
        "vic",
        target="soil_moisture",
        attributes=list(case.attributes),
        train=case.train,
        sites=sites,
        seed=2,
        progress=False,
        **case.learn,
    )
    field = fit.parameters(case.ds)["porosity"].where(sites)
    found = result["morans_i"].sel(contender="dpl", parameter="porosity", seed=2)
    np.testing.assert_allclose(found, morans_i(field, neighbours=4), rtol=1e-6)


def test_every_pair_of_seeds(case, result):
    maps = [calibrated(case, seed)["porosity"].values.ravel() for seed in SEEDS]
    pairs = [(0, 1), (0, 2), (1, 2)]
    seeds = zip(result["first_seed"].values, result["second_seed"].values, strict=True)
    assert list(seeds) == pairs
    expected = [spearmanr(maps[i], maps[j], nan_policy="omit").statistic for i, j in pairs]
    found = result["seed_correlation"].sel(contender="calibrated", parameter="porosity")
    np.testing.assert_allclose(found, expected)


def test_the_truth_is_measured_too(case, result):
    sites = case.usable()
    true = case.ds["true_porosity"].where(sites)
    np.testing.assert_allclose(
        result["true_morans_i"].sel(parameter="porosity"), morans_i(true, neighbours=4)
    )
    unknown = result.sel(parameter="expt")
    assert unknown["true_morans_i"].isnull() and unknown["truth_correlation"].isnull().all()
    assert result["truth_correlation"].sel(parameter="porosity").notnull().all()


def test_dims_attributes_and_caution(result):
    assert result["morans_i"].dims == ("contender", "parameter", "seed")
    assert result["seed_correlation"].dims == ("contender", "parameter", "pair")
    assert list(result["contender"].values) == list(MAPS)
    assert all(v.attrs["units"] == "1" and v.attrs["long_name"] for v in result.values())
    assert "no evidence" in result.attrs["comment"]
    table = coherence_report.table(result)
    assert "is no evidence that parameters are right" in " ".join(table.split())
    assert [line.split()[0] for line in table.splitlines()[4:21]] == list(result["parameter"].values)


def test_without_truth_and_with_one_seed(case):
    names = [k for k in case.ds if not str(k).startswith("true_")]
    bare = replace(case, **{"ds": case.ds[names]})
    found = coherence(bare, seeds=(0,), progress=False)
    assert "truth_correlation" not in found and "seed_correlation" not in found
    table = coherence_report.table(found)
    assert "at bounds" in table and "of truth" not in table


def test_members_are_averaged_on_the_scale_of_the_search(case):
    sites = case.usable()
    model = xdpl.models.get("vic")
    defaults = xr.Dataset({p.name: xr.full_like(sites, p.default, dtype=float) for p in model.parameters})
    ksat = xr.concat([defaults["ksat"] * 0 + v for v in (10.0, 5000.0)], "member")
    found = on_scale(defaults.assign(ksat=ksat), model, sites)
    assert found.dims == ("parameter", "lat", "lon")
    np.testing.assert_allclose(found.sel(parameter="ksat").where(sites, 0.5), 0.5)
    assert int(found.isnull().sum()) == len(model.parameters)


def test_bad_arguments(case):
    with pytest.raises(InputErrors, match="seeds: expected one or more, all different"):
        coherence(case, seeds=(0, 0), progress=False)
    with pytest.raises(InputErrors, match="neighbours: expected an integer"):
        coherence(case, neighbours=0, progress=False)
    with pytest.raises(InputErrors, match="margin: expected above 0"):
        coherence(case, margin=0.7, progress=False)
    placeless = case.ds.rename(lat="y", lon="x")
    for name in ("y", "x"):
        placeless[name].attrs = {}
    with pytest.raises(InputErrors, match="latitude: expected a coordinate"):
        coherence(replace(case, **{"ds": placeless}), progress=False)
