"""The cases of the documentation: real satellite soil moisture, real streamflow, a synthetic world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from xdpl.data.known import known_parameters
from xdpl.experiments.case import Case

__all__ = [
    "CASES",
    "SURFACE",
    "mopex",
    "smap",
    "twin",
    "twin_all",
    "twin_biased",
    "twin_moisture",
    "twin_noah",
    "twin_regimes",
    "twin_runoff",
]


#: Parameters of VIC that soil moisture near the surface feels within weeks.
SURFACE = (
    "ksat",
    "d1",
    "porosity",
    "critical_fraction",
    "wilting_fraction",
    "residual_fraction",
    "root_fraction",
    "canopy_fraction",
)


def smap() -> Case:
    """Soil moisture of SMAP at 412 sites, VIC, one year of training and the next for the test."""
    from xdpl.demo.satellite import ATTRIBUTES, OTHER_SITES, TEST, TRAIN, prepare_smap
    from xdpl.models import NetworkOnly
    from xdpl.networks import LSTM, MLP, History

    ds = prepare_smap()
    # One less the share that minerals take, which have the density of quartz.
    expected = 1.0 - ds["bulk_density"].drop_attrs(deep=False) / 2.65
    ds["expected_porosity"] = expected.assign_attrs(units="m3 m-3")
    ds["expected_porosity_sd"] = ((), 0.05, {"units": "m3 m-3"})
    model, network, learning_rate = OTHER_SITES
    common: dict[str, Any] = {"loss": "site_rmse", "epochs": 150}
    return Case(
        "smap",
        ds,
        model,
        "soil_moisture",
        ATTRIBUTES,
        TRAIN,
        TEST,
        score="rmse",
        # Members were chosen at a quarter of the training sites that was left out.
        learn=common | {"network": network, "learning_rate": learning_rate, "members": 8},
        # Chosen on parts of the training year: few observations, and the seasons that were left out.
        same_sites={"network": MLP((256, 256)), "members": 1, "epochs": 300},
        alone=common
        | {
            "model": NetworkOnly(model, positive=False),
            "network": LSTM(64, dropout=0.4),
            "batch": 64,
            "weight_decay": 0.01,
            "epochs": 60,
        },
        # A year has few days before which there was something to read.
        history={"network": History(180, 64, dropout=0.4), "window": 90, "batch": 128, "epochs": 60},
        calibrate={"objective": "rmse", "warmup": 30},
        sites=ds["smap_ok"] == 1,
    )


def mopex() -> Case:
    """Streamflow of 359 basins, HBV with static parameters, ten years of training, ten for the test."""
    from xdpl.demo.basins import COMMON, MODEL, contenders
    from xdpl.demo.streamflow import TEST, TRAIN, attributes_of, prepare_mopex
    from xdpl.networks import History

    ds = prepare_mopex()
    settings = contenders("sites")
    shared = {k: v for k, v in COMMON.items() if k != "target"}

    def longer(options: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
        # A small sample has few updates in an epoch.
        return lambda count: options | {"epochs": round(options["epochs"] * min(6.0, (287 / count) ** 0.5))}

    return Case(
        "mopex",
        ds,
        MODEL,
        "streamflow",
        attributes_of(ds),
        TRAIN,
        TEST,
        score="nse",
        learn=longer(shared | settings["static"]),
        alone=longer(shared | settings["lstm"]),
        history={"network": History(365, 64, dropout=0.3)},
        calibrate={"objective": "nse"},
    )


def twin(ds: xr.Dataset | None = None) -> Case:
    """A synthetic world of 400 sites whose parameters are known; soil moisture, VIC.

    Parameters
    ----------
    ds : Dataset, optional
        Another one from `xdpl.data.twin`, of at least three years.
    """
    from xdpl.data import twin as make
    from xdpl.demo.synthetic import ATTRIBUTES, TEST, TRAIN
    from xdpl.models import NetworkOnly
    from xdpl.models.vic import VIC
    from xdpl.networks import LSTM

    model = VIC()
    return Case(
        "twin",
        make() if ds is None else ds,
        model,
        "soil_moisture",
        ATTRIBUTES,
        TRAIN,
        TEST,
        score="rmse",
        learn={"learning_rate": 1e-2, "epochs": 130},
        alone={
            "model": NetworkOnly(model, positive=False),
            # Chosen at a quarter of the training sites that was left out.
            "network": LSTM(64, dropout=0.2),
            "batch": 16,
            "epochs": 150,
            "learning_rate": 5e-3,
        },
        calibrate={"objective": "rmse", "warmup": 30},
    )


def twin_all(seed: int = 0) -> Case:
    """As `twin`, in a world where all parameters differ between sites, those of snow too.

    Parameters
    ----------
    seed : int
        Of the world, as in `xdpl.data.twin`. Worlds other than the first confirm what was found in it.
    """
    return replace(twin(_world_of_all(seed)), name=f"twin-all-{seed}" if seed else "twin-all")


def twin_biased(ds: xr.Dataset | None = None) -> Case:
    """As `twin`, observed by an instrument whose scale and offset differ between sites.

    The variable ``unbiased_soil_moisture`` has the same observations without the bias.

    Parameters
    ----------
    ds : Dataset, optional
        Another one from `xdpl.data.twin`, of at least three years.
    """
    from xdpl.experiments.biased import biased

    case = twin(ds)
    return replace(case, name="twin-biased", ds=biased(case.ds))


def twin_runoff(ds: xr.Dataset | None = None) -> Case:
    """A synthetic world where all parameters differ; runoff alone is observed, with an error of a tenth.

    Parameters
    ----------
    ds : Dataset, optional
        Another one from `xdpl.data.twin`, of at least three years.
    """
    from xdpl.demo.synthetic import ATTRIBUTES, TEST
    from xdpl.models.vic import VIC
    from xdpl.simulate import simulate

    model = VIC()
    ds = _world_of_all() if ds is None else ds.copy()
    truth = known_parameters(ds, model)
    outputs = ["runoff", "soil_moisture", "evapotranspiration", "snowpack"]
    true = simulate(ds, model, truth, outputs=outputs)
    for name in outputs:
        ds[f"true_{name}"] = true[name]
    error = np.random.default_rng(0).normal(1.0, 0.1, true["runoff"].shape).astype(np.float32)
    ds["runoff"] = (true["runoff"] * error).clip(0.0).assign_attrs(true["runoff"].attrs)
    return Case(
        "twin-runoff",
        ds.drop_vars("soil_moisture"),
        model,
        "runoff",
        ATTRIBUTES,
        # A year before it fills the deep stores.
        slice("2002", "2002"),
        TEST,
        score="nse",
        learn={"learning_rate": 1e-2, "epochs": 130, "warmup": 365},
        calibrate={"objective": "nse", "warmup": 365},
    )


def twin_moisture(ds: xr.Dataset | None = None) -> Case:
    """As `twin`, with the eight parameters of VIC that soil moisture near the surface feels within weeks.

    Parameters
    ----------
    ds : Dataset, optional
        Another one from `xdpl.data.twin`, of at least three years.
    """
    from xdpl.models import Subset
    from xdpl.surrogate import Loop

    case = twin(ds)
    model = Subset("vic", SURFACE)
    learn: dict[str, Any] = {"learning_rate": 1e-2, "epochs": 130, "warmup": 60}
    return replace(case, name="twin-moisture", model=model, learn=learn, alone=None, loop=Loop())


def twin_noah(ds: xr.Dataset | None = None) -> Case:
    """A synthetic world of the model `noah`, whose soil and vegetation follow the attributes; soil moisture.

    Parameters
    ----------
    ds : Dataset, optional
        Another one from `xdpl.data.twin`, of at least three years.
    """
    from xdpl.data import twin as make
    from xdpl.experiments.noah_world import FREE, noah_world
    from xdpl.models import Subset
    from xdpl.surrogate import Loop

    ds = noah_world(make() if ds is None else ds)
    learn: dict[str, Any] = {"learning_rate": 1e-2, "epochs": 130, "warmup": 60}
    return replace(
        twin(ds),
        name="twin-noah",
        model=Subset("noah", FREE),
        learn=learn,
        alone=None,
        loop=Loop(updates=8000, rounds=2),
    )


def twin_regimes(ds: xr.Dataset | None = None) -> Case:
    """A synthetic world with a process that the model lacks: canopies of humid sites keep half of the rain.

    The attributes do not say where that is. What the model lacks has to be made up for by its parameters, and
    what helps humid sites harms the others. In the test period the truth itself is the observation.

    Parameters
    ----------
    ds : Dataset, optional
        Another one from `xdpl.data.twin`, of at least three years.
    """
    from xdpl.data import twin as make
    from xdpl.experiments.regimes import dryness_groups
    from xdpl.simulate import simulate

    ds = make() if ds is None else ds
    base = twin(ds)
    humid = dryness_groups(base) == 0
    rain = ds["precipitation"]
    below = (rain * xr.where(humid, 0.5, 1.0)).transpose(*rain.dims).astype(rain.dtype)
    truth = known_parameters(ds, base.process)
    throughfall = ds.assign(precipitation=below.assign_attrs(rain.attrs))
    true = simulate(throughfall, "vic", truth, outputs=["soil_moisture"])["soil_moisture"]
    noise = ds["soil_moisture"] - ds["true_soil_moisture"]
    tested = ds["time"] >= np.datetime64(base.test.start)
    seen = xr.where(tested, true, true + noise).transpose(*true.dims).astype(np.float32)
    world = ds.assign(soil_moisture=seen.assign_attrs(ds["soil_moisture"].attrs))
    # The true evapotranspiration is that of a world with all of the rain.
    world = world.drop_vars(["true_soil_moisture", "true_evapotranspiration"])
    few = ("sand", "clay", "slope")
    learning = {"learning_rate": 1e-2, "epochs": 130, "loss": "site_rmse"}
    return replace(base, name="twin-regimes", ds=world, attributes=few, learn=learning)


def _world_of_all(seed: int = 0) -> xr.Dataset:
    from xdpl.data import twin as make
    from xdpl.data.truth import RELATIONS

    return make(varying=RELATIONS, seed=seed)


CASES: dict[str, Callable[[], Case]] = {
    "mopex": mopex,
    "smap": smap,
    "twin": twin,
    "twin-all": twin_all,
    "twin-all-1": partial(twin_all, 1),
    "twin-biased": twin_biased,
    "twin-moisture": twin_moisture,
    "twin-noah": twin_noah,
    "twin-regimes": twin_regimes,
    "twin-runoff": twin_runoff,
}
