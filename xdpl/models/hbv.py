"""HBV: snow, soil, a two-box response and routing, plain or with capillary rise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from xdpl.models.base import Flux, Model, Parameter, State
from xdpl.models.numerics import positive, ramp, safe_power
from xdpl.models.routes import GammaHydrograph
from xdpl.models.weather import AIR_TEMPERATURE, POTENTIAL_EVAPOTRANSPIRATION, PRECIPITATION

__all__ = ["HBV"]

_PLAIN = (
    Parameter("beta", 1.0, 6.0, "1", 2.0, "shape of the recharge curve"),
    Parameter("fc", 50.0, 1000.0, "mm", 250.0, "maximum soil moisture storage"),
    Parameter("k0", 0.05, 0.9, "d-1", 0.3, "recession coefficient of surface runoff"),
    Parameter("k1", 0.01, 0.5, "d-1", 0.1, "recession coefficient of interflow"),
    Parameter("k2", 0.001, 0.2, "d-1", 0.03, "recession coefficient of baseflow"),
    Parameter("lp", 0.2, 1.0, "1", 0.7, "fraction of fc above which evapotranspiration is potential"),
    Parameter("perc", 0.0, 10.0, "mm d-1", 1.5, "maximum percolation to the lower zone"),
    Parameter("uzl", 0.0, 100.0, "mm", 20.0, "upper-zone threshold of surface runoff"),
    Parameter("tt", -2.5, 2.5, "degC", 0.0, "threshold temperature of snowfall and melt"),
    Parameter("cfmax", 0.5, 10.0, "mm degC-1 d-1", 3.5, "degree-day factor"),
    Parameter("cfr", 0.0, 0.1, "1", 0.05, "refreezing coefficient"),
    Parameter("cwh", 0.0, 0.2, "1", 0.1, "liquid water holding capacity of snow, fraction"),
)
_CAPILLARY = (
    Parameter("betaet", 0.3, 5.0, "1", 1.0, "shape of the evapotranspiration curve"),
    Parameter("c", 0.0, 1.0, "d-1", 0.05, "capillary rise coefficient"),
)

_ROUTE_DAYS = 15


@dataclass(frozen=True)
class HBV(Model):
    """HBV rainfall-runoff model: degree-day snow, soil moisture, two response boxes, routing.

    Parameters
    ----------
    variant : {"plain", "capillary"}
        "capillary" adds rise from the lower zone into the soil and a shape
        parameter of evapotranspiration.
    snow_range : float
        Range of temperatures around `tt` over which snowfall turns into rain, in K. 0 is
        the sharp split of the published model, through which `tt` has no gradient.
    dt : float
        Time step in days.
    routing : {"gamma", None}
        "gamma" delays runoff by a gamma unit hydrograph of 15 days. None leaves it as it
        is, for cells of a grid whose runoff another model routes.

    Notes
    -----
    `runoff` is the sum of the three components at the outlet of the response routine, in
    depth over the area, and `streamflow` what of it has reached the outlet of the
    catchment. The components are not routed.

    References
    ----------
    Lindström et al. (1997), doi:10.1016/S0022-1694(97)00041-3;
    Seibert and Vis (2012), doi:10.5194/hess-16-3315-2012;
    Feng et al. (2022), doi:10.1029/2022WR032404.
    """

    variant: Literal["plain", "capillary"] = "plain"
    snow_range: float = 0.0
    dt: float = 1.0
    routing: Literal["gamma"] | None = "gamma"

    name: ClassVar[str] = "hbv"
    forcings = (PRECIPITATION, AIR_TEMPERATURE, POTENTIAL_EVAPOTRANSPIRATION)
    states = (
        State("snowpack", "mm", "", "frozen water in snow", 0.001),
        State("meltwater", "mm", "", "liquid water in snow", 0.001),
        State(
            "soil_moisture", "mm", "lwe_thickness_of_soil_moisture_content", "soil moisture storage", 0.001
        ),
        State("upper_zone", "mm", "", "storage of the upper response box", 0.001),
        State("lower_zone", "mm", "", "storage of the lower response box", 0.001),
    )
    fluxes = (
        Flux("streamflow", "mm d-1", "", "streamflow per area"),
        Flux("runoff", "mm d-1", "", "runoff before routing, sum of Q0, Q1 and Q2"),
        Flux("surface_runoff", "mm d-1", "", "fast runoff Q0, before routing"),
        Flux("interflow", "mm d-1", "", "interflow Q1, before routing"),
        Flux("baseflow", "mm d-1", "", "baseflow Q2, before routing"),
        Flux("evapotranspiration", "mm d-1", "lwe_water_evaporation_rate", "actual evapotranspiration"),
        Flux("recharge", "mm d-1", "", "recharge from the soil to the upper zone"),
        Flux("percolation", "mm d-1", "", "percolation to the lower zone"),
        Flux(
            "snow_water_equivalent",
            "mm",
            "lwe_thickness_of_surface_snow_amount",
            "frozen and liquid water in snow",
        ),
    )
    outputs = ("streamflow", "evapotranspiration", "soil_moisture", "snow_water_equivalent")

    def __post_init__(self) -> None:
        if self.variant not in ("plain", "capillary"):
            msg = f"variant must be 'plain' or 'capillary', got {self.variant!r}"
            raise ValueError(msg)
        if not self.snow_range >= 0:
            msg = f"snow_range must not be below 0, got {self.snow_range}"
            raise ValueError(msg)
        if self.routing not in ("gamma", None):
            msg = f"routing must be 'gamma' or None, got {self.routing!r}"
            raise ValueError(msg)

    @property
    def routes(self) -> tuple[GammaHydrograph, ...]:  # type: ignore[override]
        """The unit hydrograph of streamflow."""
        if self.routing is None:
            return ()
        # 15 days of hours are 360 steps, also where 1/24 is rounded.
        length = max(2, math.ceil(_ROUTE_DAYS / self.dt - 1e-6))
        return (GammaHydrograph("streamflow", length, self.dt),)

    @property
    def parameters(self) -> tuple[Parameter, ...]:  # type: ignore[override]
        """Twelve parameters; two more with capillary rise, and two with routing."""
        capillary = _CAPILLARY if self.variant == "capillary" else ()
        return (*_PLAIN, *capillary, *(p for route in self.routes for p in route.parameters))

    def step(self, xp: Any, s: Any, f: Any, p: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Advance one step, in the order of the physics: snow, soil, response."""
        dt = self.dt
        capillary = self.variant == "capillary"
        precipitation = dt * f.precipitation
        excess_heat = f.air_temperature - p.tt

        # Snow: melt and refreezing by degree-days, release above the holding capacity.
        if self.snow_range > 0.0:
            half = 0.5 * self.snow_range
            snowfall = precipitation * (1.0 - ramp(xp, excess_heat, -half, half))
        else:
            snowfall = xp.where(excess_heat >= 0.0, 0.0, precipitation)
        rain = precipitation - snowfall
        snowpack = s.snowpack + snowfall
        melt = xp.minimum(dt * positive(xp, p.cfmax * excess_heat), snowpack)
        snowpack = snowpack - melt
        meltwater = s.meltwater + melt
        refreezing = xp.minimum(dt * positive(xp, p.cfr * p.cfmax * -excess_heat), meltwater)
        snowpack = snowpack + refreezing
        meltwater = meltwater - refreezing
        to_soil = positive(xp, meltwater - p.cwh * snowpack)
        meltwater = meltwater - to_soil

        # Soil: part of the water recharges, the rest wets; above fc everything runs on.
        water = rain + to_soil
        wetness = xp.clip(s.soil_moisture / p.fc, min=0.0, max=1.0)
        recharge = water * safe_power(xp, wetness, p.beta)
        soil = s.soil_moisture + water - recharge
        excess = positive(xp, soil - p.fc)
        soil = soil - excess
        stress = xp.clip(soil / (p.lp * p.fc), min=0.0, max=1.0)
        if capillary:
            stress = safe_power(xp, stress, p.betaet)
        evapotranspiration = xp.minimum(soil, dt * f.potential_evapotranspiration * stress)
        soil = soil - evapotranspiration
        lower = s.lower_zone
        if capillary:
            # As min(c lower (1 - soil / fc), fc - soil), but for its slope: at soil = fc, where soil
            # stays all winter, the first of the two would magnify a change from day to day.
            share = xp.clip(dt * p.c * lower / p.fc, max=1.0)
            rise = xp.minimum(lower, share * positive(xp, p.fc - soil))
            soil = soil + rise
            lower = lower - rise

        # Response: two outlets above, one below.
        upper = s.upper_zone + recharge + excess
        percolation = xp.minimum(upper, dt * p.perc)
        upper = upper - percolation
        surface_runoff = xp.clip(dt * p.k0, max=1.0) * positive(xp, upper - p.uzl)
        upper = upper - surface_runoff
        interflow = xp.clip(dt * p.k1, max=1.0) * upper
        upper = upper - interflow
        lower = lower + percolation
        baseflow = xp.clip(dt * p.k2, max=1.0) * lower
        lower = lower - baseflow

        states = {
            "snowpack": snowpack,
            "meltwater": meltwater,
            "soil_moisture": soil,
            "upper_zone": upper,
            "lower_zone": lower,
        }
        runoff = (surface_runoff + interflow + baseflow) / dt
        fluxes = {
            "streamflow": runoff,
            "runoff": runoff,
            "surface_runoff": surface_runoff / dt,
            "interflow": interflow / dt,
            "baseflow": baseflow / dt,
            "evapotranspiration": evapotranspiration / dt,
            "recharge": (recharge + excess) / dt,
            "percolation": percolation / dt,
            "snow_water_equivalent": snowpack + meltwater,
        }
        return states, fluxes
