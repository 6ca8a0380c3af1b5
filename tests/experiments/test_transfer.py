"""What was never observed, scored: against simulations and metrics made by hand."""

from dataclasses import replace

import numpy as np
import pytest

import xdpl
from xdpl.errors import InputErrors
from xdpl.experiments import Case, transfer
from xdpl.experiments.cases import twin_runoff
from xdpl.experiments.reports import transfer as transfer_report


@pytest.fixture(scope="module")
def case():
    return Case(
        "small",
        xdpl.data.twin(shape=(3, 4), years=2),
        "vic",
        "soil_moisture",
        ("sand", "clay", "ndvi"),
        slice("2001", "2001"),
        slice("2002", None),
        learn={"epochs": 4, "window": 90, "learning_rate": 0.02},
        calibrate={"objective": "rmse", "warmup": 30, "evaluations": 100},
    )


@pytest.fixture(scope="module")
def result(case):
    return transfer(case, seeds=(0, 1), progress=False)


def by_hand(case, theta):
    simulated = case.ds.dpl.simulate("vic", theta, outputs=["evapotranspiration"])["evapotranspiration"]
    s = simulated.sel(time=case.test).values.astype(float)
    o = case.ds["true_evapotranspiration"].sel(time=case.test).values.astype(float)
    error = s - o
    return {
        "correlation": [[np.corrcoef(s[:, i, j], o[:, i, j])[0, 1] for j in range(4)] for i in range(3)],
        "relative_bias": error.mean(axis=0) / o.mean(axis=0),
        "rmse": np.sqrt((error**2).mean(axis=0)),
        "ubrmse": error.std(axis=0),
    }


@pytest.mark.parametrize("contender", ["dpl", "calibrated", "uncalibrated"])
def test_scores_by_hand(case, result, contender):
    options = {"target": "soil_moisture", "train": case.train, "seed": 1, "progress": False}
    if contender == "dpl":
        fit = case.ds.dpl.learn("vic", attributes=list(case.attributes), **options, **case.learn)
        theta = fit.parameters(case.ds)
    elif contender == "calibrated":
        theta = case.ds.dpl.calibrate("vic", **options, **case.calibrate)
    else:
        theta = None
    found = result.sel(contender=contender, seed=1)
    for name, expected in by_hand(case, theta).items():
        np.testing.assert_allclose(found[f"evapotranspiration_{name}"], expected, rtol=2e-4, atol=1e-5)


def test_the_target_is_scored_beside_the_others(case, result):
    assert transfer_report.outputs_of(result) == ["soil_moisture", "evapotranspiration"]
    assert result["evapotranspiration_rmse"].dims == ("contender", "seed", "lat", "lon")
    assert result["evapotranspiration_rmse"].attrs["units"] == "mm d-1"
    assert result["soil_moisture_rmse"].attrs["units"] == "m3 m-3"
    assert result["evapotranspiration_relative_bias"].attrs["units"] == "1"
    assert result.attrs["learned_on"] == "soil_moisture"
    # Against what was observed, noise and gaps included.
    simulated = case.ds.dpl.simulate("vic")["soil_moisture"].sel(time=case.test)
    error = simulated - case.ds["soil_moisture"].sel(time=case.test)
    expected = np.sqrt((error.astype(float) ** 2).mean("time"))
    found = result["soil_moisture_rmse"].sel(contender="uncalibrated", seed=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_table_says_what_was_seen_and_what_not(result):
    table = transfer_report.table(result)
    assert "soil_moisture (m3 m-3), learned" in table
    assert "evapotranspiration (mm d-1), never observed in training" in table
    medians = transfer_report.medians(result)["evapotranspiration_rmse"]
    ratio = (medians.sel(contender="dpl") / medians.sel(contender="calibrated")).values
    rows = [line for line in table.splitlines() if line.startswith("parameter learning")]
    assert rows[1].rstrip().endswith(f"{ratio.mean():.3f} ± {ratio.std():.3f}")


def test_other_outputs_and_sites_that_are_left_out(case):
    ds = case.ds.rename(true_evapotranspiration="latent")
    ds["latent"] = (ds["latent"] / 86400.0).assign_attrs(units="kg m-2 s-1")
    some = replace(case, **{"ds": ds, "sites": ds["lat"] > 35.2})
    found = transfer(some, outputs={"evapotranspiration": "latent"}, seeds=(0,), progress=False)
    error = found["evapotranspiration_rmse"]
    assert error.attrs["units"] == "kg m-2 s-1"
    np.testing.assert_array_equal(error.notnull().all(["contender", "seed"]), some.usable())
    whole = transfer(case, seeds=(0,), progress=False)["evapotranspiration_rmse"]
    np.testing.assert_allclose(
        86400.0 * error.sel(contender="calibrated")[:, 1:],
        whole.sel(contender="calibrated")[:, 1:],
        rtol=1e-5,
    )


def test_runoff_alone(tmp_path):
    full = twin_runoff(xdpl.data.twin(shape=(2, 3), years=3))
    assert "soil_moisture" not in full.ds and full.target == "runoff"
    few = {"calibrate": full.calibrate | {"evaluations": 40}, "learn": {"epochs": 1, "window": 90}}
    found = transfer(replace(full, **{**few}), seeds=(0,), out=tmp_path, progress=False)
    outputs = ["runoff", "snowpack", "soil_moisture", "evapotranspiration"]
    assert sorted(transfer_report.outputs_of(found)) == sorted(outputs)
    assert found["snowpack_rmse"].attrs["units"] == "mm"
    # The error of the observation is a tenth of the flow.
    seen, true = full.ds["runoff"], full.ds["true_runoff"]
    ratio = (seen / true.where(true > 1.0)).values
    np.testing.assert_allclose([np.nanmean(ratio), np.nanstd(ratio)], [1.0, 0.1], atol=0.01)


def test_every_problem_at_once(case):
    bad = {"evaporation": "true_evapotranspiration", "runoff": "streamflow", "evapotranspiration": "sand"}
    with pytest.raises(InputErrors, match="transfer cannot run") as caught:
        transfer(case, outputs=bad, seeds=(), progress=False)
    assert [e.subject for e in caught.value.exceptions] == [
        "seeds",
        "outputs",
        "outputs['runoff']",
        "outputs['evapotranspiration']",
    ]
    bare = replace(case, **{"ds": case.ds.drop_vars("true_evapotranspiration")})
    with pytest.raises(InputErrors, match="no variable true_<output>"):
        transfer(bare, progress=False)
