"""VIC-type land column: three soil layers, variable infiltration capacity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from xdpl.models.base import Flux, Model, Parameter, State
from xdpl.models.numerics import positive, ramp, safe_power
from xdpl.models.snow import DEGREE_DAY_FACTOR, MELT_TEMPERATURE, SNOWPACK, degree_day_snow
from xdpl.models.weather import AIR_TEMPERATURE, POTENTIAL_EVAPOTRANSPIRATION, PRECIPITATION

__all__ = ["VIC"]


@dataclass(frozen=True)
class VIC(Model):
    """Three-layer variable infiltration capacity column with degree-day snow.

    Surface runoff follows the variable infiltration capacity curve of the two
    upper layers, evaporation is bare-soil evaporation plus transpiration, layers
    drain by Brooks-Corey conductivity, and the lowest layer feeds ARNO baseflow.

    Parameters
    ----------
    dt : float
        Time step in days.
    snow_range : float
        Range of air temperature around `tt` over which snowfall turns into rain,
        K; above 0, since a sharp threshold gives `tt` no gradient.
    soil_moisture_at : float
        When within the step `soil_moisture` is reported, 0 (start) to 1 (end): the
        time of a satellite overpass in the day of the forcing.

    Notes
    -----
    Drainage of a layer, dS/dt = -K S^n / C, is integrated exactly over the step
    (S the relative and C the absolute drainable storage), so a large conductivity
    is not stiff; the drainable water starts at the residual content. So are the
    linear and the quadratic part of baseflow, one after the other; the quadratic
    part is left out where `ds` exceeds `ws`. Roots take nothing below the wilting
    content. No store then overshoots, and gradients stay bounded over long runs. Ordering
    residual < wilting < critical < porosity holds because each is a learned
    fraction of the next. `soil_moisture` lies on a line between the states at the
    start and the end of the step, by default half way: the mean of the step. The
    states `w1`, `w2` and `w3` are those at the end.

    References
    ----------
    Liang et al. (1994), doi:10.1029/94JD00483; Liang et al. (1996),
    doi:10.1016/0921-8181(95)00046-1; Todini (1996), doi:10.1016/S0022-1694(96)80016-3;
    Campbell (1974), doi:10.1097/00010694-197406000-00001.
    """

    dt: float = 1.0
    snow_range: float = 2.0
    soil_moisture_at: float = 0.5

    name: ClassVar[str] = "vic"
    forcings = (PRECIPITATION, AIR_TEMPERATURE, POTENTIAL_EVAPOTRANSPIRATION)
    parameters = (
        Parameter("infilt", 0.001, 0.4, "1", 0.2, "infiltration curve shape b", "log"),
        Parameter("ds", 0.001, 1.0, "1", 0.02, "fraction of dsmax where baseflow turns nonlinear", "log"),
        Parameter("dsmax", 0.1, 30.0, "mm d-1", 10.0, "maximum baseflow"),
        Parameter("ws", 0.2, 0.99, "1", 0.8, "wetness where baseflow turns nonlinear"),
        Parameter("expt", 4.0, 30.0, "1", 12.0, "Brooks-Corey exponent of drainage"),
        Parameter("ksat", 10.0, 5000.0, "mm d-1", 500.0, "saturated hydraulic conductivity", "log"),
        Parameter("d1", 0.05, 0.1, "m", 0.075, "thickness of layer 1"),
        Parameter("d2", 0.1, 1.0, "m", 0.4, "thickness of layer 2"),
        Parameter("d3", 0.1, 2.0, "m", 1.0, "thickness of layer 3"),
        Parameter("porosity", 0.3, 0.6, "m3 m-3", 0.45, "soil porosity"),
        Parameter("critical_fraction", 0.3, 0.95, "1", 0.65, "critical content as a fraction of porosity"),
        Parameter("wilting_fraction", 0.1, 0.9, "1", 0.4, "wilting content as a fraction of critical"),
        Parameter("residual_fraction", 0.01, 0.9, "1", 0.3, "residual content as a fraction of wilting"),
        Parameter("root_fraction", 0.1, 0.9, "1", 0.4, "fraction of roots in layer 1"),
        Parameter("canopy_fraction", 0.02, 0.98, "1", 0.6, "fraction of ground under transpiring canopy"),
        MELT_TEMPERATURE,
        DEGREE_DAY_FACTOR,
    )
    states = (
        SNOWPACK,
        State("w1", "mm", "", "water in soil layer 1"),
        State("w2", "mm", "", "water in soil layer 2"),
        State("w3", "mm", "", "water in soil layer 3"),
    )
    fluxes = (
        Flux(
            "soil_moisture",
            "m3 m-3",
            "volume_fraction_of_condensed_water_in_soil",
            "water content of layer 1",
        ),
        Flux(
            "evapotranspiration",
            "mm d-1",
            "lwe_water_evaporation_rate",
            "bare-soil evaporation and transpiration",
        ),
        Flux("surface_runoff", "mm d-1", "", "surface runoff"),
        Flux("baseflow", "mm d-1", "", "baseflow from layer 3"),
        Flux("runoff", "mm d-1", "", "surface runoff plus baseflow"),
    )
    outputs = ("soil_moisture", "evapotranspiration", "runoff")

    def __post_init__(self) -> None:
        if not self.snow_range > 0:
            msg = f"snow_range must be above 0, got {self.snow_range}"
            raise ValueError(msg)
        if not 0 <= self.soil_moisture_at <= 1:
            msg = f"soil_moisture_at must be between 0 and 1, got {self.soil_moisture_at}"
            raise ValueError(msg)

    def initial_states(self, xp: Any, p: Any) -> dict[str, Any]:
        """No snow; every layer at its critical water content."""
        critical = 1000.0 * p.porosity * p.critical_fraction
        return {
            "snowpack": 0.0 * critical,
            "w1": critical * p.d1,
            "w2": critical * p.d2,
            "w3": critical * p.d3,
        }

    def step(self, xp: Any, s: Any, f: Any, p: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Advance one step: snow, infiltration, evaporation, drainage, baseflow."""
        dt = self.dt
        cap1, cap2, cap3 = (1000.0 * p.porosity * d for d in (p.d1, p.d2, p.d3))
        wilting = p.critical_fraction * p.wilting_fraction
        residual = wilting * p.residual_fraction

        snowpack, rain, melt = degree_day_snow(
            xp,
            s.snowpack,
            dt * f.precipitation,
            f.air_temperature,
            p.tt,
            p.cfmax,
            snow_range=self.snow_range,
            dt=dt,
        )
        liquid = rain + melt

        # Infiltration (Liang et al. 1994, eq. 3): i0/im = 1 - (1 - W/Wm)^(1/(1+b)).
        upper_capacity = cap1 + cap2
        dryness = xp.clip(1.0 - (s.w1 + s.w2) / upper_capacity, min=0.0, max=1.0)
        headroom = safe_power(xp, dryness, 1.0 / (1.0 + p.infilt))
        left = positive(xp, headroom - liquid / ((1.0 + p.infilt) * upper_capacity))
        infiltration = upper_capacity * (dryness - safe_power(xp, left, 1.0 + p.infilt))
        infiltration = xp.minimum(positive(xp, infiltration), liquid)
        into1 = xp.minimum(infiltration, positive(xp, cap1 - s.w1))
        into2 = xp.minimum(infiltration - into1, positive(xp, cap2 - s.w2))
        surface_runoff = liquid - into1 - into2
        w1 = s.w1 + into1
        w2 = s.w2 + into2

        # Bare soil dries layer 1 to the residual content, roots to the wilting content.
        demand = dt * f.potential_evapotranspiration
        transpiration = demand * p.canopy_fraction
        wet1, wet2 = w1 / cap1, w2 / cap2
        bare = (demand - transpiration) * ramp(xp, wet1, residual, p.critical_fraction)
        roots1 = transpiration * p.root_fraction * ramp(xp, wet1, wilting, p.critical_fraction)
        roots2 = transpiration * (1.0 - p.root_fraction) * ramp(xp, wet2, wilting, p.critical_fraction)
        available = positive(xp, w1 - residual * cap1)
        roots1 = xp.minimum(roots1, positive(xp, w1 - wilting * cap1))
        evaporation1 = xp.minimum(xp.minimum(bare, available) + roots1, available)
        evaporation2 = xp.minimum(roots2, positive(xp, w2 - wilting * cap2))
        w1 = w1 - evaporation1
        w2 = w2 - evaporation2

        # Drainage, downwards; what the lower layer cannot take stays.
        drainage1 = xp.minimum(self._drainage(xp, w1, cap1, residual, p), positive(xp, cap2 - w2))
        w1 = w1 - drainage1
        w2 = w2 + drainage1
        drainage2 = xp.minimum(self._drainage(xp, w2, cap2, residual, p), positive(xp, cap3 - s.w3))
        w2 = w2 - drainage2
        w3 = s.w3 + drainage2

        # ARNO baseflow (Todini 1996): what is quadratic, then what is linear in the storage.
        slope = p.ds * p.dsmax / p.ws
        excess = positive(xp, w3 - p.ws * cap3)
        curvature = positive(xp, p.dsmax - slope) / ((1.0 - p.ws) * cap3) ** 2
        quick = excess - excess / (1.0 + dt * curvature * excess)
        slow = -xp.expm1(-dt * slope / cap3) * (w3 - quick)
        baseflow = xp.minimum(quick + slow, positive(xp, w3 - residual * cap3))
        w3 = w3 - baseflow

        states = {"snowpack": snowpack, "w1": w1, "w2": w2, "w3": w3}
        fluxes = {
            "soil_moisture": (s.w1 + self.soil_moisture_at * (w1 - s.w1)) / (1000.0 * p.d1),
            "evapotranspiration": (evaporation1 + evaporation2) / dt,
            "surface_runoff": surface_runoff / dt,
            "baseflow": baseflow / dt,
            "runoff": (surface_runoff + baseflow) / dt,
        }
        return states, fluxes

    def _drainage(self, xp: Any, w: Any, capacity: Any, residual: Any, p: Any) -> Any:
        """Water (mm) drained in one step: exact solution of dS/dt = -K S^n / C."""
        drainable = capacity * (1.0 - residual)
        storage = xp.clip((w - residual * capacity) / drainable, min=0.0, max=1.0)
        rate = (p.expt - 1.0) * p.ksat * self.dt / drainable * safe_power(xp, storage, p.expt - 1.0)
        return -xp.expm1(-xp.log1p(rate) / (p.expt - 1.0)) * storage * drainable
