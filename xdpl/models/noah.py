"""Noah-type land column: four soil layers, implicit Richards diffusion, canopy resistance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from xdpl.models.base import Flux, Model, Parameter, State
from xdpl.models.canopy import intercept, transpiration_factors
from xdpl.models.numerics import positive, safe_power
from xdpl.models.richards import campbell_column, keep_in_bounds, redistribute
from xdpl.models.snow import DEGREE_DAY_FACTOR, MELT_TEMPERATURE, SNOWPACK, degree_day_snow
from xdpl.models.weather import AIR_TEMPERATURE, POTENTIAL_EVAPOTRANSPIRATION, PRECIPITATION

__all__ = ["Noah"]

_LAYERS = 4
#: Conductivity for which kdt is refkdt: 2e-6 m s-1 (Chen and Dudhia 2001), in mm d-1.
_REFERENCE_KSAT = 172.8
#: Water below this, in mm, does not infiltrate: its ratios have no gradient.
_NONE = 1e-8


@dataclass(frozen=True)
class Noah(Model):
    """Noah-type land column: four soil layers under a canopy, with degree-day snow.

    Water moves between the layers by Richards' equation with the soil of Campbell, solved
    implicitly. Infiltration is that of Schaake, transpiration follows a canopy resistance of
    Jarvis type, bare soil dries by a power of its wetness, and a canopy store evaporates rain.

    Parameters
    ----------
    dt : float
        Time step in days.
    substeps : int
        Implicit steps of the soil in each time step.
    thicknesses : tuple of float
        Of the four layers, from above, m.
    aerodynamic_resistance : float
        That canopy resistance is compared with, s m-1.
    snow_range : float
        Range of air temperature around `tt` over which snowfall turns into rain, K.
    soil_moisture_at : float
        When within the step `soil_moisture` is reported, 0 (start) to 1 (end).

    Notes
    -----
    Equations, and what is simplified against Noah, are on the page "The model noah" of the
    documentation. Dry < wilting < reference < porosity holds because each is a learned fraction
    of the next. Root fractions are those of an exponential profile and sum to one.

    References
    ----------
    Chen and Dudhia (2001), doi:10.1175/1520-0493(2001)129<0569:CAALSH>2.0.CO;2;
    Chen et al. (1996), doi:10.1029/95JD02165; Mahrt and Pan (1984), doi:10.1007/BF00119116;
    Campbell (1974), doi:10.1097/00010694-197406000-00001; Clapp and Hornberger (1978),
    doi:10.1029/WR014i004p00601; Schaake et al. (1996), doi:10.1029/95JD02892; Jarvis (1976),
    doi:10.1098/rstb.1976.0035; Noilhan and Planton (1989),
    doi:10.1175/1520-0493(1989)117<0536:ASPOLS>2.0.CO;2.
    """

    dt: float = 1.0
    substeps: int = 4
    thicknesses: tuple[float, ...] = (0.1, 0.3, 0.6, 1.0)
    aerodynamic_resistance: float = 100.0
    snow_range: float = 2.0
    soil_moisture_at: float = 0.5

    name: ClassVar[str] = "noah"
    forcings = (PRECIPITATION, AIR_TEMPERATURE, POTENTIAL_EVAPOTRANSPIRATION)
    parameters = (
        Parameter("porosity", 0.3, 0.6, "m3 m-3", 0.44, "soil porosity"),
        Parameter("psi_sat", 0.03, 0.8, "m", 0.35, "suction at saturation", "log"),
        Parameter("b", 2.5, 14.0, "1", 5.4, "exponent of Campbell"),
        Parameter("ksat", 20.0, 5000.0, "mm d-1", 290.0, "saturated hydraulic conductivity", "log"),
        Parameter("reference_fraction", 0.4, 0.95, "1", 0.75, "reference content as a fraction of porosity"),
        Parameter("wilting_fraction", 0.05, 0.8, "1", 0.3, "wilting content as a fraction of reference"),
        Parameter("dry_fraction", 0.05, 0.95, "1", 0.5, "content of dry soil as a fraction of wilting"),
        Parameter("refkdt", 0.1, 10.0, "d-1", 3.0, "infiltration parameter of Schaake", "log"),
        Parameter("slope", 0.01, 1.0, "1", 0.1, "fraction of conductivity that drains at the bottom", "log"),
        Parameter("rc_min", 20.0, 500.0, "s m-1", 100.0, "stomatal resistance without stress", "log"),
        Parameter("lai", 0.2, 8.0, "m2 m-2", 3.0, "leaf area index of the vegetated part", "log"),
        Parameter("root_depth", 0.05, 1.0, "m", 0.25, "depth over which root density falls by e", "log"),
        Parameter("vegetation_fraction", 0.02, 0.98, "1", 0.6, "fraction of ground under green vegetation"),
        Parameter("leaf_capacity", 0.05, 0.5, "mm", 0.2, "water a canopy holds per leaf area", "log"),
        Parameter("fxexp", 0.5, 4.0, "1", 2.0, "exponent of bare-soil evaporation"),
        MELT_TEMPERATURE,
        DEGREE_DAY_FACTOR,
    )
    states = (
        SNOWPACK,
        State("canopy_water", "mm", "", "rain held by the canopy, per ground"),
        *(State(f"w{i + 1}", "mm", "", f"water in soil layer {i + 1}") for i in range(_LAYERS)),
    )
    fluxes = (
        Flux(
            "soil_moisture",
            "m3 m-3",
            "volume_fraction_of_condensed_water_in_soil",
            "water content of layer 1",
        ),
        Flux("evapotranspiration", "mm d-1", "lwe_water_evaporation_rate", "sum of its three parts"),
        Flux("canopy_evaporation", "mm d-1", "", "evaporation of rain held by the canopy"),
        Flux("transpiration", "mm d-1", "", "transpiration"),
        Flux("bare_soil_evaporation", "mm d-1", "", "evaporation from bare soil"),
        Flux("surface_runoff", "mm d-1", "", "surface runoff"),
        Flux("baseflow", "mm d-1", "", "drainage from layer 4"),
        Flux("runoff", "mm d-1", "", "surface runoff plus baseflow"),
    )
    outputs = ("soil_moisture", "evapotranspiration", "runoff")

    def __post_init__(self) -> None:
        # A stored fit has them as a list, which cannot be hashed.
        object.__setattr__(self, "thicknesses", tuple(self.thicknesses))
        wrong = [
            f"{name} must be {expected}, got {getattr(self, name)}"
            for name, expected, right in (
                ("substeps", "a whole number from 1", self.substeps >= 1 and self.substeps % 1 == 0),
                (
                    "thicknesses",
                    f"{_LAYERS} numbers above 0",
                    len(self.thicknesses) == _LAYERS and all(d > 0 for d in self.thicknesses),
                ),
                ("aerodynamic_resistance", "above 0", self.aerodynamic_resistance > 0),
                ("snow_range", "above 0", self.snow_range > 0),
                ("soil_moisture_at", "between 0 and 1", 0 <= self.soil_moisture_at <= 1),
            )
            if not right
        ]
        if wrong:
            raise ValueError("; ".join(wrong))

    def initial_states(self, xp: Any, p: Any) -> dict[str, Any]:
        """No snow, a dry canopy; every layer at its reference water content."""
        reference = 1000.0 * p.porosity * p.reference_fraction
        layers = {f"w{i + 1}": reference * d for i, d in enumerate(self.thicknesses)}
        return {"snowpack": 0.0 * reference, "canopy_water": 0.0 * reference, **layers}

    def step(self, xp: Any, s: Any, f: Any, p: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Advance one step: snow, canopy, infiltration; then evaporation and drainage in substeps."""
        dt, h = self.dt, self.dt / self.substeps
        column = campbell_column(self.thicknesses, p.porosity, p.psi_sat, p.b, p.ksat, p.slope, h)
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

        # The canopy holds rain over its part of the ground, and transpires where it is not wet.
        demand = dt * f.potential_evapotranspiration
        over_canopy, canopy_demand = p.vegetation_fraction * rain, p.vegetation_fraction * demand
        canopy_water, throughfall, wet = intercept(
            xp,
            s.canopy_water,
            over_canopy,
            canopy_demand,
            p.vegetation_fraction * p.leaf_capacity * p.lai,
        )
        canopy_evaporation = canopy_demand * wet
        liquid = (rain - over_canopy) + throughfall + melt

        water = [s.w1, s.w2, s.w3, s.w4]
        infiltration = self._infiltration(xp, water, liquid, column.capacities, p)
        surface_runoff = liquid - infiltration
        inflow = infiltration / self.substeps
        extraction = self._extraction(xp, f, p, column.capacities)
        bare_demand = (demand - canopy_demand) / self.substeps
        root_demand = (canopy_demand - canopy_evaporation) / self.substeps
        transpiration = bare_soil_evaporation = baseflow = 0.0 * liquid
        for _ in range(self.substeps):
            bare, roots = extraction(water, bare_demand, root_demand)
            uptake = [bare + roots[0], *roots[1:]]
            fluxes = redistribute(xp, water, inflow, uptake, column)
            left = [positive(xp, w - e) for w, e in zip(water, uptake, strict=True)]
            water, drainage, excess = keep_in_bounds(xp, left, inflow, fluxes, column.capacities)
            bare_soil_evaporation = bare_soil_evaporation + bare
            transpiration = transpiration + (roots[0] + roots[1] + roots[2] + roots[3])
            baseflow = baseflow + drainage
            surface_runoff = surface_runoff + excess

        evapotranspiration = canopy_evaporation + transpiration + bare_soil_evaporation
        w1, w2, w3, w4 = water
        states = {"snowpack": snowpack, "canopy_water": canopy_water, "w1": w1, "w2": w2, "w3": w3, "w4": w4}
        top = s.w1 + self.soil_moisture_at * (w1 - s.w1)
        amounts = {
            "evapotranspiration": evapotranspiration,
            "canopy_evaporation": canopy_evaporation,
            "transpiration": transpiration,
            "bare_soil_evaporation": bare_soil_evaporation,
            "surface_runoff": surface_runoff,
            "baseflow": baseflow,
            "runoff": surface_runoff + baseflow,
        }
        return states, {
            "soil_moisture": top * (1.0 / (1000.0 * self.thicknesses[0])),
            **{name: amount / dt for name, amount in amounts.items()},
        }

    def _infiltration(self, xp: Any, water: Any, liquid: Any, capacities: Any, p: Any) -> Any:
        """Infiltration (mm) over the step, from the room in the whole column: Schaake et al. (1996)."""
        room = sum(positive(xp, c - w) for w, c in zip(water, capacities, strict=True))
        kdt = p.refkdt * p.ksat * (1.0 / _REFERENCE_KSAT)
        reach = room * -xp.expm1(-self.dt * kdt)
        total = liquid + reach
        none = total <= _NONE
        # Rounding must not let more in than there is.
        share = xp.clip(reach / xp.where(none, 1.0, total), max=1.0)
        return xp.where(none, 0.0, liquid * share)

    def _extraction(self, xp: Any, f: Any, p: Any, capacities: Any) -> Any:
        """Function from water and demands to evaporation of bare soil and by the roots of each layer, mm."""
        reference = p.reference_fraction
        wilting = reference * p.wilting_fraction
        dry = wilting * p.dry_fraction
        a, closed = transpiration_factors(xp, f.air_temperature, p.rc_min, p.lai, self.aerodynamic_resistance)
        shares = self._root_shares(xp, p.root_depth)

        def extract(water: Any, bare_demand: Any, root_demand: Any) -> tuple[Any, list[Any]]:
            first = capacities[0]
            above_dry = positive(xp, water[0] - dry * first)
            wetness = xp.clip(above_dry / ((1.0 - dry) * first), max=1.0)
            bare = xp.minimum(bare_demand * safe_power(xp, wetness, p.fxexp), above_dry)
            roots = []
            for share, w, c in zip(shares, [water[0] - bare, *water[1:]], capacities, strict=True):
                # Penman-Monteith over Penman, for the leaves that the roots of this layer feed; as a
                # fraction of what is there, since a slope above one would grow from day to day.
                there = positive(xp, w - wilting * c)
                full = xp.maximum(there, (reference - wilting) * c)
                taken = root_demand * share * a / ((a * there / full + closed) * full)
                roots.append(xp.clip(taken, max=1.0) * there)
            return bare, roots

        return extract

    def _root_shares(self, xp: Any, depth: Any) -> list[Any]:
        """Fractions of the roots in each layer, of a density that falls exponentially; they sum to one."""
        bottom, above = 0.0, 1.0 + 0.0 * depth
        densities = []
        for thickness in self.thicknesses:
            bottom += thickness
            below = xp.exp(-bottom / depth)
            densities.append(above - below)
            above = below
        whole = 1.0 - above
        return [d / whole for d in densities]
