"""The command ``xdpl experiment``: run one, print its table, write its result and picture."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import xarray as xr

from xdpl.experiments import reports
from xdpl.experiments.as_tables import write_tables
from xdpl.experiments.case import Case
from xdpl.experiments.cases import CASES
from xdpl.experiments.coherence import coherence
from xdpl.experiments.cost import cost
from xdpl.experiments.data_efficiency import data_efficiency
from xdpl.experiments.data_fraction import data_fraction
from xdpl.experiments.global_constraint import global_constraint
from xdpl.experiments.headroom import headroom
from xdpl.experiments.history import history
from xdpl.experiments.observation import observation
from xdpl.experiments.perturbation import perturbation
from xdpl.experiments.regimes import regimes
from xdpl.experiments.scaling import scaling
from xdpl.experiments.surrogate import surrogate
from xdpl.experiments.towers import towers
from xdpl.experiments.transfer import transfer
from xdpl.experiments.uncertainty import uncertainty

__all__ = ["EXPERIMENTS", "Experiment", "experiment"]


@dataclass(frozen=True)
class Experiment:
    """What there is to an experiment.

    Parameters
    ----------
    run : callable
        Case and options to a Dataset.
    report : module
        With ``table``, Dataset to text, and ``draw``, Dataset and axes to a picture.
    data : str
        Case by default.
    files : callable, optional
        Writes further files to a folder: result, case and folder to a list of paths.
    """

    run: Callable[..., xr.Dataset]
    report: ModuleType
    data: str
    files: Callable[[xr.Dataset, Case, Path], list[Path]] | None = None


EXPERIMENTS = {
    "coherence": Experiment(coherence, reports.coherence, "twin"),
    "cost": Experiment(cost, reports.cost, "smap"),
    "data-efficiency": Experiment(data_efficiency, reports.data_efficiency, "smap"),
    "data-fraction": Experiment(data_fraction, reports.data_fraction, "smap"),
    "global-constraint": Experiment(global_constraint, reports.global_constraint, "smap"),
    "headroom": Experiment(headroom, reports.headroom, "smap"),
    "history": Experiment(history, reports.history, "mopex"),
    "observation": Experiment(observation, reports.observation, "twin-biased"),
    "perturbation": Experiment(perturbation, reports.perturbation, "twin-all"),
    "regimes": Experiment(regimes, reports.regimes, "twin-regimes"),
    "scaling": Experiment(scaling, reports.scaling, "smap"),
    "surrogate": Experiment(surrogate, reports.surrogate, "twin-moisture", write_tables),
    "towers": Experiment(towers, reports.towers, "smap"),
    "transfer": Experiment(transfer, reports.transfer, "twin"),
    "uncertainty": Experiment(uncertainty, reports.uncertainty, "twin-all"),
}


def experiment(
    name: str, *, data: str | None, seeds: int, out: Path, progress: bool = True, case: Case | None = None
) -> xr.Dataset:
    """Run an experiment by name, print its table, write ``NAME-DATA.txt``, ``.nc`` and ``.svg`` to a folder.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.
    data : str, optional
        One of the cases of the documentation; that of the experiment if not given.
    seeds : int
        How many.
    out : Path
        Made if missing. What is finished stays there, and the same call goes on with the rest.
    progress : bool
    case : Case, optional
        Another case, of which `data` is then the name.

    Returns
    -------
    Dataset
        The result, as the function of the experiment returns it.
    """
    chosen = EXPERIMENTS[name]
    data = data or chosen.data
    case = CASES[data]() if case is None else case
    stem = f"{name}-{data}"
    out.mkdir(parents=True, exist_ok=True)
    # Parts are of a case, whatever the experiment: calibrations serve several of them.
    result = chosen.run(case, seeds=range(seeds), out=out / "parts" / data, progress=progress)
    table = chosen.report.table(result)
    print(table)
    (out / f"{stem}.txt").write_text(f"{table}\n", "utf8")
    result.to_netcdf(out / f"{stem}.nc", engine="h5netcdf")
    written = [f"{stem}.txt", f"{stem}.nc"]
    if chosen.files is not None:
        written += [path.name for path in chosen.files(result, case, out)]
    if importlib.util.find_spec("matplotlib") is not None:
        import matplotlib

        matplotlib.use("agg")
        import matplotlib.pyplot as plt

        figure, ax = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
        chosen.report.draw(result, ax)
        figure.savefig(out / f"{stem}.svg")
        plt.close(figure)
        written.append(f"{stem}.svg")
    else:
        print("\nno picture: pip install 'xdpl[plot]'")
    print(f"\nwritten to {out}/: {', '.join(written)}")
    return result
