"""Learn HBV on the streamflow of hundreds of basins, beside a network without a process model."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import xarray as xr

from xdpl.demo.streamflow import TEST, TRAIN, attributes_of, prepare_mopex
from xdpl.demo.writing import write
from xdpl.evaluation import flow_metrics, metrics
from xdpl.fit import Fit
from xdpl.learn import learn
from xdpl.models import NetworkOnly
from xdpl.models.hbv import HBV
from xdpl.networks import LSTM, MLP, Hybrid
from xdpl.simulate import simulate

__all__ = ["COMMON", "MODEL", "contenders", "mopex"]

MODEL = HBV("capillary", snow_range=2.0)
#: Parameters that vary in time in the dynamic model.
DYNAMIC = ("beta", "betaet", "k0", "k1", "lp", "fc", "perc", "uzl", "cfmax")
#: Options of `xdpl.learn` that all models share.
COMMON: dict[str, Any] = {
    "target": "streamflow",
    "loss": "nse",
    "warmup": 365,
    "window": 365,
    "schedule": "cosine",
}


def contenders(question: Literal["time", "sites"]) -> dict[str, dict[str, Any]]:
    """Options of `xdpl.learn` of each model, beside `COMMON`; chosen within the training period.

    Parameters
    ----------
    question : {"time", "sites"}
        What is predicted: another time at the sites of the training, or other sites.

    Returns
    -------
    dict of str to dict
        ``"static"`` and ``"dynamic"`` HBV, and ``"lstm"``, which has no process model.
    """
    if question == "time":
        static, hybrid, alone = MLP((256, 256)), Hybrid(64, (256, 256)), LSTM(64, dropout=0.2)
        epochs = {"static": 20, "pretrain": 15, "dynamic": 30}
        freely = {"model": NetworkOnly(MODEL), "batch": 32, "weight_decay": 0.01, "epochs": 40}
    else:
        static, alone = MLP((256,), dropout=0.3), LSTM(64, dropout=0.4)
        hybrid = Hybrid(64, (256,), embedding=4, dropout=0.4)
        epochs = {"static": 15, "pretrain": 8, "dynamic": 18}
        of_any_sign = NetworkOnly(MODEL, positive=False)
        freely = {"model": of_any_sign, "batch": 64, "weight_decay": 0.1, "epochs": 30}
    physical = {"model": MODEL, "members": 16, "learning_rate": 3e-3, "batch": 32, "weight_decay": 0.01}
    moving = {"network": hybrid, "dynamic": list(DYNAMIC), "pretrain": epochs["pretrain"]}
    return {
        "static": physical | {"network": static, "epochs": epochs["static"]},
        "dynamic": physical | moving | {"epochs": epochs["dynamic"]},
        "lstm": freely | {"network": alone, "learning_rate": 5e-3},
    }


def mopex(*, out: Path, epochs: int | None = None, seed: int = 0, progress: bool = True) -> Fit:
    """Learn static parameters on ten years of 359 basins, print the scores of the next ten, write maps."""
    ds = prepare_mopex()
    options = COMMON | contenders("time")["static"] | {"seed": seed, "progress": progress}
    if epochs is not None:
        options["epochs"] = epochs
    fit = learn(ds, attributes=attributes_of(ds), train=TRAIN, **options)
    print(fit)
    observed = ds["streamflow"].sel(time=TEST)
    default = simulate(ds, MODEL, outputs=["streamflow"])["streamflow"]
    learned = fit.simulate(ds, outputs=["streamflow"])["streamflow"]
    print(f"\ntest {TEST.start} to {TEST.stop}, median of {ds.sizes['basin']} basins")
    names = ("nse", "kge_2009", "fhv", "flv")
    print(f"  {'':14}" + "".join(f"{name:>10}" for name in names))
    for label, simulated in {"uncalibrated": default, "learned": learned}.items():
        pair = simulated.sel(time=TEST), observed
        scores = xr.merge([metrics(*pair), flow_metrics(*pair)], compat="override")
        print(f"  {label:14}" + "".join(f"{float(scores[name].median()):10.3f}" for name in names))
    theta = fit.parameters(ds)
    write(fit, ds, theta.mean("member", keep_attrs=True), theta, out)
    return fit
