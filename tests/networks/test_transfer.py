"""Transfer functions against their formula."""

import numpy as np
import pytest
import xarray as xr
from helpers_learn import Bucket, problems, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.networks import TransferFunction

LEAK, SPLIT = Bucket().parameters
POWER = TransferFunction(form="power")
ONLY = TransferFunction(predictors={"leak": ["sand"]})


@pytest.fixture(scope="module")
def linear():
    return quick(network="transfer", learning_rate=0.1)


@pytest.fixture(scope="module")
def power():
    return quick(network=POWER, learning_rate=0.1)


def bounded(p, odds):
    share = odds / (1.0 + odds)
    to, back = (np.log, np.exp) if p.scale == "log" else (lambda v: v, lambda v: v)
    return back(to(p.lower) + (to(p.upper) - to(p.lower)) * share)


def test_linear_relations_by_hand(linear):
    ds, c = world(), linear.coefficients()
    assert c["coefficient"].dims == ("parameter", "attribute") and c["constant"].dims == ("parameter",)
    for p in (LEAK, SPLIT):
        log_odds = c["constant"].sel(parameter=p.name)
        for name in ("sand", "clay"):
            # Of the training sites: all of them.
            np.testing.assert_allclose(c["mean"].sel(attribute=name), ds[name].mean())
            np.testing.assert_allclose(c["std"].sel(attribute=name), ds[name].std())
            x = (ds[name] - ds[name].mean()) / ds[name].std()
            log_odds = log_odds + c["coefficient"].sel(parameter=p.name, attribute=name) * x
        np.testing.assert_allclose(linear.parameters(ds)[p.name], bounded(p, np.exp(log_odds)), rtol=1e-5)
    assert {v.attrs["units"] for v in c.data_vars.values()} == {"1"}
    assert float(abs(c["coefficient"]).min()) > 0


def test_power_relations_by_hand(power):
    ds, c = world(), power.coefficients()
    for p in (LEAK, SPLIT):
        odds = np.exp(c["constant"].sel(parameter=p.name))
        for name in ("sand", "clay"):
            odds = odds * ds[name] ** c["coefficient"].sel(parameter=p.name, attribute=name)
        np.testing.assert_allclose(power.parameters(ds)[p.name], bounded(p, odds), rtol=1e-4)
    assert "mean" not in c.coords


@pytest.mark.parametrize("network", ["transfer", POWER, ONLY])
def test_a_fit_that_learned_nothing_returns_the_defaults(network):
    fit = quick(network=network, epochs=1, learning_rate=1e-9)
    for p in (LEAK, SPLIT):
        np.testing.assert_allclose(fit.parameters(world())[p.name], p.default, rtol=0.01)


def test_parameters_depend_on_their_predictors_only():
    ds, fit = world(), quick(network=ONLY, learning_rate=0.1)
    theta, c = fit.parameters(ds), fit.coefficients()["coefficient"]
    assert float(theta["split"].std()) < 1e-7 and float(theta["leak"].std()) > 0
    assert float(theta["split"].mean()) != pytest.approx(SPLIT.default, rel=1e-3)
    other = fit.parameters(ds.assign(clay=(0.5 * ds["clay"]).assign_attrs(units="1")))
    xr.testing.assert_equal(other, theta)
    np.testing.assert_array_equal(c.isnull(), [[False, True], [True, True]])


def test_few_numbers_are_learned():
    fit = quick(network="transfer", epochs=1)
    assert sum(w.numel() for w in fit.network.parameters()) == 2 * (2 + 1)
    assert fit.coefficients()["coefficient"].size == 4


def test_it_learns_a_known_relation():
    ds = world()
    x = {k: (ds[k] - ds[k].mean()) / ds[k].std() for k in ("sand", "clay")}
    truth = xr.Dataset(
        {
            "leak": bounded(LEAK, np.exp(-0.3 + 0.8 * x["sand"])).assign_attrs(units="d-1"),
            "split": bounded(SPLIT, np.exp(-0.7 - 0.6 * x["clay"])).assign_attrs(units="1"),
        }
    )
    ds["runoff"] = xdpl.simulate(ds, Bucket(), truth)["runoff"]
    # The whole record at once: in a short warm-up, what is stored in the beginning would count.
    fit = quick(ds, network="transfer", train=None, epochs=60, window=200, warmup=0, learning_rate=0.1)
    c = fit.coefficients()
    np.testing.assert_allclose(c["constant"], [-0.3, -0.7], atol=0.05)
    np.testing.assert_allclose(c["coefficient"], [[0.8, 0.0], [0.0, -0.6]], atol=0.05)


def test_members_have_constants_of_their_own():
    ds = world()
    fit = quick(ds, network="transfer", members=3, learning_rate=0.1)
    c = fit.coefficients()
    assert c["coefficient"].dims == ("parameter", "member", "attribute")
    log_odds = c["constant"] + (
        c["coefficient"] * (ds[["sand", "clay"]].to_array("attribute") - c["mean"]) / c["std"]
    ).sum("attribute")
    expected = bounded(LEAK, np.exp(log_odds.sel(parameter="leak")))
    np.testing.assert_allclose(
        fit.parameters(ds)["leak"].transpose("member", "lat", "lon"), expected, rtol=1e-4
    )


def bad(call):
    with pytest.raises(InputErrors) as raised:
        call()
    return raised


def test_unknown_names_are_listed_together():
    spec = TransferFunction(predictors={"leek": ["sand"], "split": ["silt", "clay"]})
    texts = [str(e) for e in bad(lambda: quick(network=spec)).value.exceptions]
    assert len(texts) == 2
    assert "a parameter that is learned: leak, split" in texts[0] and "'leek'" in texts[0]
    assert "predictors among attributes=['sand', 'clay']" in texts[1] and "'silt'" in texts[1]


def test_powers_need_attributes_above_zero(power):
    ds = world()
    ds["clay"][0, 1] = 0.0
    found = problems(bad(lambda: quick(ds, network=POWER)))
    assert "attributes above zero" in found["clay"] and "got 0 at lat=40.0, lon=6.0" in found["clay"]
    found = problems(bad(lambda: power.parameters(ds)))
    assert "attributes above zero" in found["clay"] and "at 1 sites" in found["clay"]
    # Linear ones take them.
    assert quick(ds, network="transfer", epochs=1).parameters(ds)["leak"].notnull().all()


def test_statistics_of_powers_are_those_of_logarithms(power):
    ds = world()
    np.testing.assert_allclose(power.scaling.attributes.mean[0], np.log(ds["sand"]).mean())
    np.testing.assert_allclose(power.scaling.attributes.std[1], np.log(ds["clay"]).std())
    hole = ds.copy(deep=True)
    hole["sand"][0, 0] = hole["clay"][0, 0] = np.nan
    theta = power.parameters(hole)
    assert theta["leak"][0, 0].isnull() and int(theta["leak"].notnull().sum()) == 5


def test_specification():
    assert TransferFunction(predictors={"leak": "sand"}).predictors == {"leak": ("sand",)}
    assert TransferFunction.from_dict(ONLY.to_dict()) == ONLY
    with pytest.raises(ValueError, match="form must be 'linear' or 'power', got 'cubic'"):
        TransferFunction(form="cubic")


@pytest.mark.parametrize("spec", [POWER, ONLY])
def test_saved_and_loaded(spec, tmp_path):
    fit = quick(network=spec, learning_rate=0.1)
    fit.save(tmp_path / "fit")
    loaded = xdpl.load(tmp_path / "fit", model=Bucket())
    assert loaded.network_spec == spec
    xr.testing.assert_equal(loaded.parameters(world()), fit.parameters(world()))
    xr.testing.assert_equal(loaded.coefficients(), fit.coefficients())
    other = TransferFunction(form="linear", predictors={"split": ["sand"]})
    message = str(bad(lambda: xdpl.load(tmp_path / "fit", model=Bucket(), network=other)).value)
    assert "the network of the fit" in message and "leave network out" in message


def test_lazy_is_eager(power):
    ds = world()
    lazy = power.parameters(ds.chunk(lat=1))
    assert lazy["leak"].chunks is not None
    xr.testing.assert_equal(lazy.compute(), power.parameters(ds))


def test_coefficients_of_another_network():
    found = problems(bad(quick(epochs=1).coefficients))
    assert "network 'mlp'" in found["network"] and 'network="transfer"' in found["network"]
