"""The metrics: names, units and which end of the scale is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["COUNT", "METRICS", "REFERENCES", "Metric"]


@dataclass(frozen=True)
class Metric:
    """What is said about a metric wherever it appears.

    Parameters
    ----------
    name, long_name : str
        Variable name and its description.
    best : {"low", "zero", "high"}
        The good end of the scale; ``"zero"`` for signed errors.
    dimensional : bool
        Whether it has the units of the observations; else dimensionless.
    """

    name: str
    long_name: str
    best: Literal["low", "zero", "high"]
    dimensional: bool = False


METRICS = (
    Metric("rmse", "root mean square error", "low", dimensional=True),
    Metric("ubrmse", "unbiased root mean square error (of anomalies)", "low", dimensional=True),
    Metric("bias", "mean of simulated minus observed", "zero", dimensional=True),
    Metric("correlation", "Pearson correlation of simulated and observed", "high"),
    Metric("nse", "Nash-Sutcliffe efficiency", "high"),
    Metric("kge_2009", "Kling-Gupta efficiency with the ratio of standard deviations", "high"),
    Metric("kge_2012", "Kling-Gupta efficiency with the ratio of coefficients of variation", "high"),
)

COUNT = "count"

REFERENCES = (
    "ubrmse: Entekhabi et al. 2010, doi:10.1175/2010JHM1223.1; "
    "nse: Nash and Sutcliffe 1970, doi:10.1016/0022-1694(70)90255-6; "
    "kge_2009: Gupta et al. 2009, doi:10.1016/j.jhydrol.2009.08.003; "
    "kge_2012: Kling et al. 2012, doi:10.1016/j.jhydrol.2012.01.011"
)
