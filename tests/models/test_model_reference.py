"""Every model equals a plain-Python loop written from the published equations."""

from functools import partial

import numpy as np
import pytest
from model_cases import MODELS, random_inputs
from reference_models import hbv_step, route, run, vic_step
from reference_noah import noah_step

from xdpl import engines
from xdpl.engines import array
from xdpl.models.hbv import HBV
from xdpl.models.noah import Noah

STEPS = {
    "vic": vic_step,
    "noah": partial(noah_step, substeps=2),
    "noah-default": noah_step,
    "hbv": hbv_step,
    "hbv-capillary": hbv_step,
    "hbv-ramp": partial(hbv_step, snow_range=2.0),
    "hbv-capillary-ramp": partial(hbv_step, snow_range=2.0),
    "hbv-unrouted": hbv_step,
}
VARIANTS = MODELS | {
    "noah-default": Noah(),
    "hbv-ramp": HBV(snow_range=2.0),
    "hbv-capillary-ramp": HBV("capillary", snow_range=2.0),
    "hbv-unrouted": HBV(routing=None),
}
DAYS, SITES = 150, 25


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_plain_python(name, seed):
    model = VARIANTS[name]
    forcings, theta, start = random_inputs(model, DAYS, SITES, seed=seed)
    # The threshold itself and the ends of the range of VIC are days of their own.
    for day, degrees in enumerate((0.0, 1.0, -1.0, 0.3, -0.3)):
        forcings["air_temperature"][day::9] = theta["tt"] + degrees
    if model.name == "hbv":
        # Some sites are empty at first.
        start = {k: np.where(np.arange(SITES) < 4, 0.0, v) for k, v in start.items()}
    on_the_way = np.random.default_rng(seed).gamma(0.5, 5.0, (14, SITES))
    outputs = [d.name for d in (*model.fluxes, *model.states)]
    initial = start | {s.name: on_the_way for s in model.route_states}
    series, final = engines.run("array", model, forcings, theta, initial=initial, outputs=outputs)
    for site in range(SITES):
        rows = run(
            STEPS[name],
            {k: v[:, site].tolist() for k, v in forcings.items()},
            {k: float(v[site]) for k, v in theta.items()},
            {k: float(v[site]) for k, v in start.items()},
            DAYS,
        )
        for output in outputs:
            expected = [row["runoff" if output == "streamflow" else output] for row in rows]
            if output == "streamflow" and model.routes:
                delays = (float(theta[k][site]) for k in ("route_a", "route_b"))
                expected = route(expected, *delays, on_the_way[:, site].tolist())
            np.testing.assert_allclose(
                series[output][:, site], expected, rtol=1e-12, atol=1e-11, err_msg=f"{output} at {site}"
            )
        assert all(final[s.name][site] == series[s.name][-1, site] for s in model.states)
        for state in model.route_states:
            np.testing.assert_array_equal(final[state.name][:, site], series["runoff"][-14:, site])


def test_the_cases_reach_every_branch_of_vic():
    """The comparison above is worth something: runoff, snow, wet and dry layers all occur."""
    model = MODELS["vic"]
    forcings, theta, start = random_inputs(model, DAYS, SITES, seed=0)
    outputs = ["snowpack", "surface_runoff", "w2", "w3", "evapotranspiration"]
    series, _ = array.run(model, forcings, theta, initial=start, outputs=outputs)
    full2 = 1000.0 * theta["porosity"] * theta["d2"]
    full3 = 1000.0 * theta["porosity"] * theta["d3"]
    assert (series["snowpack"] > 5.0).any()
    assert (series["surface_runoff"] > 1.0).any()
    assert np.isclose(series["w3"], full3, rtol=0.05).any()
    assert (series["w3"] > theta["ws"] * full3).any()
    assert (series["w2"] < theta["critical_fraction"] * full2).any()
    assert (series["w2"] > theta["critical_fraction"] * full2).any()
    assert (series["evapotranspiration"] < forcings["potential_evapotranspiration"]).any()


def test_the_cases_reach_every_branch_of_noah():
    model = MODELS["noah"]
    forcings, theta, start = random_inputs(model, DAYS, SITES, seed=0)
    series, _ = array.run(model, forcings, theta, initial=start, outputs=list(model.all_outputs()))
    full = [1000.0 * theta["porosity"] * d for d in model.thicknesses]
    wilting = theta["reference_fraction"] * theta["wilting_fraction"]
    assert (series["snowpack"] > 5.0).any() and (series["surface_runoff"] > 1.0).any()
    assert np.isclose(series["w1"], full[0], rtol=1e-12).any()
    for i, capacity in enumerate(full):
        wet = series[f"w{i + 1}"] / capacity
        assert (wet > theta["reference_fraction"]).any() and (wet < theta["reference_fraction"]).any()
        assert i > 0 or (wet < wilting).any()
    for part in ("canopy_evaporation", "transpiration", "bare_soil_evaporation", "baseflow"):
        assert (series[part] > 0.1).any(), part
    assert (series["transpiration"] == 0.0).any()


@pytest.mark.parametrize("variant", ["hbv", "hbv-capillary"])
def test_the_cases_reach_every_branch_of_hbv(variant):
    model = MODELS[variant]
    forcings, theta, start = random_inputs(model, DAYS, SITES, seed=0)
    outputs = ["snowpack", "surface_runoff", "percolation", "soil_moisture", "evapotranspiration"]
    series, _ = array.run(model, forcings, theta, initial=start, outputs=outputs)
    assert (series["snowpack"] > 5.0).any()
    assert (series["surface_runoff"] > 1.0).any()
    assert (series["percolation"] < theta["perc"] * (1 - 1e-9)).any()
    assert np.isclose(series["percolation"], theta["perc"]).any()
    assert (series["soil_moisture"] < theta["lp"] * theta["fc"]).any()
    assert (series["soil_moisture"] > theta["lp"] * theta["fc"]).any()


def test_hbv_knows_two_variants():
    with pytest.raises(ValueError, match="'plain' or 'capillary', got 'deep'"):
        type(MODELS["hbv"])("deep")
