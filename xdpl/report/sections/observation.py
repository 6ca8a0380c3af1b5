"""What stands between simulated and observed, and what parameters are worth without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.observation import Identity
from xdpl.report.elements import heading, paragraph, table
from xdpl.report.numbers import number
from xdpl.report.quantiles import spread

if TYPE_CHECKING:
    from xdpl.report.facts import Facts, OfTarget

__all__ = ["observation"]

_HEAD = ("what is compared", "units", "median", "10 %", "90 %")
_ERRORS = {
    "training_rmse": "training: through the operator, against the observations",
    "transfer_rmse": "transfer: the model as it is",
    "uncalibrated_rmse": "default parameters, as they are",
    "operator_rmse": "default parameters, through the operator",
}


def observation(facts: Facts) -> str:
    """Operators, their scales and offsets, and the transfer test of each target."""
    out = ""
    for target in facts.targets:
        if len(facts.targets) > 1:
            out += heading(target.output)
        operator = facts.fit.operators[target.output]
        out += paragraph(f"Operator of {target.output}: {operator.describe()}.")
        out += _values(facts, target) + _test(facts, target)
    return out


def _values(facts: Facts, target: OfTarget) -> str:
    learned = facts.fit.observation
    units = {"scale": "1", "offset": target.units}
    rows = []
    for part, unit in units.items():
        values = learned.get(f"{target.output}_{part}")
        if values is not None:
            rows.append([part, unit, str(int(values.notnull().sum())), *map(number, spread(values))])
    if not rows:
        return ""
    head = ("part", "units", "values", "median", "10 %", "90 %")
    return table(f"Scale and offset between simulated and observed {target.output}", head, rows, words={1})


def _test(facts: Facts, target: OfTarget) -> str:
    test = target.transfer
    if test is None:
        return ""
    first, last = facts.fit.observation.attrs["period"]
    rows = [
        [text, test[name].attrs["units"], *map(number, spread(test[name]))] for name, text in _ERRORS.items()
    ]
    out = table(
        f"Transfer test of {target.output}: RMSE over sites, {first} to {last}", _HEAD, rows, words={1}
    )
    status, ratio = test.attrs["status"], number(test["ratio"])
    limit, share = number(test.attrs["limit"]), number(test["affine_share"])
    text = f"{status}: transfer error over training score {ratio} (FAIL from {limit}); affine share {share}."
    if facts.fit.operators[target.output].kind == Identity.kind:
        text += " Without an operator the ratio is 1, and the share 0, by construction."
    return out + paragraph(text)
