"""The metrics: names, units and which end of the scale is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["COUNT", "FLOW_METRICS", "FLOW_REFERENCES", "METRICS", "REFERENCES", "Metric"]


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
        Whether it has the units of the observations; else it has `units`.
    units : str
        CF units of a metric that is not dimensional.
    """

    name: str
    long_name: str
    best: Literal["low", "zero", "high"]
    dimensional: bool = False
    units: str = "1"


METRICS = (
    Metric("rmse", "root mean square error", "low", dimensional=True),
    Metric("ubrmse", "unbiased root mean square error (of anomalies)", "low", dimensional=True),
    Metric("bias", "mean of simulated minus observed", "zero", dimensional=True),
    Metric("correlation", "Pearson correlation of simulated and observed", "high"),
    Metric("nse", "Nash-Sutcliffe efficiency", "high"),
    Metric("kge_2009", "Kling-Gupta efficiency with the ratio of standard deviations", "high"),
    Metric("kge_2012", "Kling-Gupta efficiency with the ratio of coefficients of variation", "high"),
)

FLOW_METRICS = (
    Metric("percent_bias", "percent bias of the total flow", "zero", units="percent"),
    Metric("fhv", "percent bias of the highest 2 % of flows", "zero", units="percent"),
    Metric("fms", "percent bias of the slope of the duration curve, 20 to 70 %", "zero", units="percent"),
    Metric("flv", "percent bias of the lowest 30 % of flows, logarithmic", "zero", units="percent"),
    Metric("rmse_low", "root mean square error on the days of the lowest 30 % of flows", "low", True),
    Metric("rmse_high", "root mean square error on the days of the highest 2 % of flows", "low", True),
    Metric("peak_timing", "mean absolute lag of simulated peaks", "low", units="d"),
)

COUNT = "count"

REFERENCES = (
    "ubrmse: Entekhabi et al. 2010, doi:10.1175/2010JHM1223.1; "
    "nse: Nash and Sutcliffe 1970, doi:10.1016/0022-1694(70)90255-6; "
    "kge_2009: Gupta et al. 2009, doi:10.1016/j.jhydrol.2009.08.003; "
    "kge_2012: Kling et al. 2012, doi:10.1016/j.jhydrol.2012.01.011"
)

FLOW_REFERENCES = (
    "fhv, fms, flv: Yilmaz et al. 2008, doi:10.1029/2007WR006716; "
    "peak_timing: Kratzert et al. 2021, doi:10.5194/hess-25-2685-2021"
)
