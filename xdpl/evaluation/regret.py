"""How much worse than the best that is known, site by site."""

from __future__ import annotations

import xarray as xr

from xdpl.errors import Problems
from xdpl.evaluation.checks import names
from xdpl.evaluation.declared import FLOW_METRICS, METRICS

__all__ = ["regret"]


def regret(scores: xr.Dataset, oracle: xr.Dataset) -> xr.Dataset:
    """Scores less those of an oracle, such as parameters calibrated at each site by itself.

    A site that loses much while it could do well is one that the others outvoted; one that scores badly
    and loses nothing is beyond the model. Over `by_group`, regimes that a common objective does not serve
    stand out.

    Parameters
    ----------
    scores, oracle : Dataset
        Such as `metrics` returns, over the same sites; the metrics of both are compared.

    Returns
    -------
    Dataset
        Each metric in its own units: above zero where the scores are worse than the oracle's, of errors the
        difference, of scores that are best at 1 its negative, of biases the difference of absolute values.
        Coordinates and dims as those of `scores` less `oracle`.

    Raises
    ------
    InputErrors
        If they have no metric in common, or other sites or units.
    """
    problems = Problems("regret")
    known = [m for m in (*METRICS, *FLOW_METRICS) if m.name in scores and m.name in oracle]
    if not known:
        problems.add(
            "oracle",
            expected="a metric that scores has too",
            got=f"{names(oracle.data_vars)}, with scores of {names(scores.data_vars)}",
            fix="xdpl.evaluation.metrics for both",
        )
    for m in known:
        units = [part[m.name].attrs.get("units") for part in (scores, oracle)]
        if units[0] != units[1]:
            problems.add(m.name, expected=f"units {units[0]!r}", got=repr(units[1]), fix="score both alike")
    for dim in sorted(set(scores.dims) & set(oracle.dims), key=str):
        here, there = (part.indexes.get(dim) for part in (scores, oracle))
        unlike = here is not None and there is not None and not here.equals(there)
        if unlike or scores.sizes[dim] != oracle.sizes[dim]:
            problems.add(
                str(dim), expected="the same sites in both", got="others", fix="oracle.reindex_like(scores)"
            )
    problems.raise_if_any()
    found = {}
    for m in known:
        s, o = scores[m.name], oracle[m.name]
        loss = {"low": lambda s, o: s - o, "high": lambda s, o: o - s, "zero": lambda s, o: abs(s) - abs(o)}
        said = {"units": s.attrs.get("units", m.units), "long_name": f"regret of {m.long_name}"}
        found[m.name] = loss[m.best](s, o).drop_attrs(deep=False).assign_attrs(said)
    return xr.Dataset(found)
