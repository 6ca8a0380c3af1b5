"""How it was made, so that it can be made again."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from xdpl.fit.repr import rows as facts_of
from xdpl.labelled.attrs import model_hash
from xdpl.report.elements import details, table

if TYPE_CHECKING:
    from xdpl.report.facts import Facts

__all__ = ["settings"]

_PACKAGES = ("torch", "xarray", "numpy", "numba", "matplotlib")


def settings(facts: Facts) -> str:
    """What was trained on what, every option, and versions."""
    fit = facts.fit
    out = table("The fit", ("what", "value"), facts_of(fit), words={1})
    inputs = [[f"forcing {k}", v, ""] for k, v in fit.forcings.items()]
    inputs += [[f"attribute {k}", k, v or "none said"] for k, v in fit.attributes.items()]
    declared = {d.name: d.units for d in fit.model.forcings}
    inputs = [[name, variable, unit or declared.get(name[8:], "")] for name, variable, unit in inputs]
    targets = [[f"target {t.output}", t.variable, t.units] for t in facts.targets]
    out += table("Variables", ("role", "variable", "units"), [*inputs, *targets], words={1, 2})
    options = [[k, _plain(v)] for k, v in fit.settings.items()]
    options += [[f"network {k}", _plain(v)] for k, v in fit.network_spec.to_dict().items()]
    options += [[f"model {k}", _plain(v)] for k, v in fit.model.options().items()]
    out += details("Every option", table("Options of the training", ("option", "value"), options, words={1}))
    return out + table("Provenance", ("what", "value"), _provenance(facts), words={1})


def _provenance(facts: Facts) -> list[list[str]]:
    from xdpl import __version__

    fit = facts.fit
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return [
        ["model", fit.model.name],
        ["model hash", f"{model_hash(fit.model)} (declarations and options, not equations)"],
        ["learned with xdpl", str(fit.observation.attrs.get("xdpl_version", "not known"))],
        ["report written", f"{now}, xdpl {__version__}, Python {platform.python_version()}"],
        ["packages", ", ".join(f"{name} {version(name)}" for name in _PACKAGES)],
        [
            "scores",
            "Entekhabi et al. 2010, doi:10.1175/2010JHM1223.1; Gupta et al. 2009, "
            "doi:10.1016/j.jhydrol.2009.08.003; Kling et al. 2012, doi:10.1016/j.jhydrol.2012.01.011",
        ],
    ]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
