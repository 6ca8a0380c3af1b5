"""Learning through observation operators, tested in the model itself."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

import xdpl
from xdpl.errors import InputErrors
from xdpl.evaluation import transfer_test
from xdpl.experiments import observation
from xdpl.experiments.biased import biased
from xdpl.experiments.cases import twin_biased
from xdpl.experiments.remedies import Remedy
from xdpl.experiments.reports.observation import table
from xdpl.observation import Anomaly, Identity, SiteAffine

OPERATORS = {"free": SiteAffine(penalty=0.0), "anomaly": Anomaly()}


@pytest.fixture(scope="module")
def case(small_case):
    return replace(small_case, ds=biased(small_case.ds))


@pytest.fixture(scope="module")
def result(case):
    return observation(case, operators=OPERATORS, trusted=(), priors={}, seeds=(0, 1), progress=False)


def test_numbers_are_those_of_the_functions_themselves(case, result):
    ds = case.ds
    options = dict(case.learn) | {"target": "soil_moisture", "attributes": list(case.attributes)}
    for name, operator, data in (
        ("free", OPERATORS["free"], ds),
        ("unbiased", Identity(), ds.assign(soil_moisture=ds["unbiased_soil_moisture"])),
    ):
        fit = data.dpl.learn("vic", train=case.train, seed=1, observation=operator, progress=False, **options)
        expected = transfer_test(fit, data, truth="unbiased_soil_moisture")
        found = result.sel(operator=name, seed=1)
        for variable in ("training_rmse", "transfer_rmse", "operator_rmse", "ratio", "affine_share"):
            np.testing.assert_allclose(found[variable], expected[variable], rtol=1e-6)
        theta = fit.parameters(ds)["porosity"]
        rho = spearmanr(theta.values.ravel(), ds["true_porosity"].values.ravel()).statistic
        assert float(found["truth_correlation"].sel(parameter="porosity")) == pytest.approx(rho)


def test_it_is_labelled(result):
    assert result["operator"].values.tolist() == ["unbiased", "free", "anomaly"]
    assert result["training_rmse"].dims == ("operator", "seed", "lat", "lon")
    assert result["training_rmse"].attrs["units"] == "m3 m-3"
    assert result["truth_correlation"].attrs["units"] == "1"


def test_table(result):
    text = table(result)
    assert "median of 6 parameters" in text
    assert text.count(" of 2 ") == 3


def test_interrupted_it_goes_on(case, result, tmp_path):
    run = {
        "operators": OPERATORS,
        "trusted": (),
        "priors": {},
        "seeds": (0, 1),
        "out": tmp_path,
        "progress": False,
    }
    first = observation(case, **run)
    xr.testing.assert_equal(first, result)
    (path,) = tmp_path.glob("*free*seed=1.nc")
    path.unlink()
    again = observation(case, **run)
    xr.testing.assert_equal(again, first)


def test_what_is_known_from_elsewhere_takes_part(case):
    found = observation(case, operators={"none": Identity()}, trusted=(3,), seeds=(0,), progress=False)
    ways = ["unbiased", "none", "free, prior", "anomaly, prior", "free, 3 trusted", "3 trusted alone"]
    ways += ["free, prior, 3 trusted"]
    assert found["operator"].values.tolist() == ways
    scored = found["transfer_rmse"].notnull().sum(("lat", "lon")).isel(seed=0)
    whole = int(case.usable().sum())
    assert scored.values.tolist() == [whole] * 4 + [whole - 3] * 3
    known = found["ratio"].notnull().isel(seed=0)
    assert known.values.tolist() == [True] * 5 + [False, True], "who learned from three sites has no score"
    assert found["transfer_rmse"].notnull().any(("lat", "lon")).all()


def test_trusted_sites_have_the_observations_without_bias(case):
    given = Remedy(SiteAffine(penalty=0.0), 3).apply(case, "unbiased_soil_moisture", 0)
    ds, operator = given.ds, given.options["observation"]
    trusted = case.usable() & ~given.scored
    xr.testing.assert_equal(given.trained, case.usable())
    alone = Remedy(Identity(), 3, alone=True).apply(case, "unbiased_soil_moisture", 0)
    xr.testing.assert_equal(alone.trained, trusted)
    assert int(trusted.sum()) == 3
    xr.testing.assert_equal(operator.trusted, trusted.reset_coords(drop=True))
    same = ((ds["soil_moisture"] == ds["unbiased_soil_moisture"]) | ds["soil_moisture"].isnull()).all("time")
    xr.testing.assert_equal(same, trusted)
    options = dict(case.learn) | {"target": "soil_moisture", "attributes": list(case.attributes)}
    fit = ds.dpl.learn("vic", train=case.train, observation=operator, progress=False, **options)
    assert given.options["objective"] == "stratified"
    assert int(given.options["groups"].sum()) == 3
    scale = fit.observation["soil_moisture_scale"]
    assert bool((scale.where(trusted, 1.0) == 1.0).all())
    assert bool((scale.where(~trusted) != 1.0).any())


def test_without_a_truth_the_observations_are_it(case):
    plain = replace(case, ds=case.ds.drop_vars("unbiased_soil_moisture"))
    found = observation(plain, operators={"none": Identity()}, priors={}, seeds=(0,), progress=False)
    assert found["operator"].values.tolist() == ["none"]
    assert found["ratio"].item() == 1.0
    assert "truth" not in found.attrs
    assert "observations themselves" in table(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"truth": "x"}, "a variable of ds"),
        ({"operators": {}}, "one or more"),
        ({"operators": {"unbiased": Identity()}}, "none called 'unbiased'"),
        ({"trusted": (0, 99)}, "numbers of sites, 1 to"),
        ({"operators": {"a": "anomaly"}}, "an operator of xdpl.observation"),
    ],
)
def test_bad_arguments(case, options, message):
    with pytest.raises(InputErrors, match=message):
        observation(case, progress=False, **options)


def test_the_bias_is_the_one_that_is_said():
    ds = biased(xdpl.data.twin(shape=(20, 20), years=1))
    spread = [float(v.std()) for v in (np.log(ds["bias_scale"]), ds["bias_offset"])]
    np.testing.assert_allclose(spread, [0.25, 0.04], rtol=0.25)
    error = ds["soil_moisture"] - (ds["bias_scale"] * ds["true_soil_moisture"] + ds["bias_offset"])
    own = ds["unbiased_soil_moisture"] - ds["true_soil_moisture"]
    np.testing.assert_allclose(error.transpose(*own.dims), own, atol=1e-6)
    told = [
        np.corrcoef(ds[a].values.ravel(), v.values.ravel())[0, 1]
        for a, v in (("ndvi", np.log(ds["bias_scale"])), ("clay", ds["bias_offset"]))
    ]
    assert told[0] < -0.5
    assert told[1] > 0.5


def test_case_of_the_documentation():
    case = twin_biased(xdpl.data.twin(shape=(3, 4), years=3))
    assert case.name == "twin-biased"
    assert {"unbiased_soil_moisture", "bias_scale", "bias_offset"} <= set(case.ds)
