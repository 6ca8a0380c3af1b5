"""Plain-Python loops of the models over one site, written from the equations alone."""

import math


def run(step, forcings, theta, start, days):
    """Days of one site: lists of the fluxes and the states after each step."""
    state, rows = dict(start), []
    for t in range(days):
        state, fluxes = step(state, {k: v[t] for k, v in forcings.items()}, theta)
        rows.append(state | fluxes)
    return rows


def route(runoff, a, b, before=(), days=15):
    """Gamma unit hydrograph of Feng et al. (2022); `before` has the days before, the oldest first."""
    shares = [(k + 0.5) ** (a + 0.1 - 1.0) * math.exp(-(k + 0.5) / (b + 0.5)) for k in range(days)]
    series, routed = [*before, *runoff], []
    for t in range(len(before), len(series)):
        routed.append(sum(shares[k] / sum(shares) * series[t - k] for k in range(days) if t - k >= 0))
    return routed


def on_its_way(unrouted, a, b, days=15):
    """Water that has not yet arrived of the last days before routing, the oldest first."""
    shares = [(k + 0.5) ** (a + 0.1 - 1.0) * math.exp(-(k + 0.5) / (b + 0.5)) for k in range(days)]
    return sum(q * sum(shares[len(unrouted) - i :]) / sum(shares) for i, q in enumerate(unrouted))


def hbv_step(s, f, p, snow_range=0.0):
    """HBV as in Lindström et al. (1997) and Feng et al. (2022); capillary if `c` is given."""
    rain_or_snow, temperature, pet = (
        f["precipitation"],
        f["air_temperature"],
        f["potential_evapotranspiration"],
    )
    rain = rain_or_snow if temperature >= p["tt"] else 0.0
    if snow_range:
        rain = rain_or_snow * min(max(0.5 + (temperature - p["tt"]) / snow_range, 0.0), 1.0)
    snow = s["snowpack"] + rain_or_snow - rain
    melt = min(max(p["cfmax"] * (temperature - p["tt"]), 0.0), snow)
    snow, liquid = snow - melt, s["meltwater"] + melt
    refreezing = min(max(p["cfr"] * p["cfmax"] * (p["tt"] - temperature), 0.0), liquid)
    snow, liquid = snow + refreezing, liquid - refreezing
    to_soil = max(liquid - p["cwh"] * snow, 0.0)
    liquid -= to_soil

    soil = s["soil_moisture"]
    recharge = (rain + to_soil) * min(max((soil / p["fc"]) ** p["beta"], 0.0), 1.0)
    soil += rain + to_soil - recharge
    excess = max(soil - p["fc"], 0.0)
    soil -= excess
    stress = min(max(soil / (p["lp"] * p["fc"]), 0.0), 1.0) ** p.get("betaet", 1.0)
    evapotranspiration = min(soil, pet * stress)
    soil -= evapotranspiration

    lower = s["lower_zone"]
    if "c" in p:
        rise = min(lower, p["c"] * lower * (1.0 - min(soil / p["fc"], 1.0)), p["fc"] - soil)
        soil, lower = soil + rise, lower - rise

    upper = s["upper_zone"] + recharge + excess
    percolation = min(upper, p["perc"])
    upper -= percolation
    q0 = p["k0"] * max(upper - p["uzl"], 0.0)
    upper -= q0
    q1 = p["k1"] * upper
    upper -= q1
    lower += percolation
    q2 = p["k2"] * lower
    lower -= q2
    states = {
        "snowpack": snow,
        "meltwater": liquid,
        "soil_moisture": soil,
        "upper_zone": upper,
        "lower_zone": lower,
    }
    return states, {
        "runoff": q0 + q1 + q2,
        "surface_runoff": q0,
        "interflow": q1,
        "baseflow": q2,
        "evapotranspiration": evapotranspiration,
        "recharge": recharge + excess,
        "percolation": percolation,
        "snow_water_equivalent": snow + liquid,
    }


def vic_step(s, f, p, snow_range=2.0):
    """VIC as in Liang et al. (1994, 1996), with exact Brooks-Corey drainage and ARNO baseflow."""
    capacity = [1000.0 * p["porosity"] * p[d] for d in ("d1", "d2", "d3")]
    critical = p["critical_fraction"]
    wilting = critical * p["wilting_fraction"]
    residual = wilting * p["residual_fraction"]
    precipitation, heat = f["precipitation"], f["air_temperature"] - p["tt"]
    # Rain from half the range above the threshold, snow from half the range below it.
    rain = precipitation * min(max(0.5 + heat / snow_range, 0.0), 1.0)
    snow = s["snowpack"] + precipitation - rain
    melt = min(max(p["cfmax"] * heat, 0.0), snow)
    liquid = melt + rain
    snow -= melt

    b, held, most = p["infilt"], s["w1"] + s["w2"], capacity[0] + capacity[1]
    im = (1.0 + b) * most
    # With the saturated fraction A = 1 - (1 - W/Wm)^(b/(1+b)), this is im [1 - (1 - A)^(1/b)].
    i0 = im * (1.0 - (1.0 - held / most) ** (1.0 / (1.0 + b)))
    surface_runoff = liquid - most + held
    if i0 + liquid < im:
        surface_runoff += most * (1.0 - (i0 + liquid) / im) ** (1.0 + b)
    infiltrated = liquid - surface_runoff
    into1 = min(infiltrated, capacity[0] - s["w1"])
    w1, w2, w3 = s["w1"] + into1, s["w2"] + infiltrated - into1, s["w3"]

    def stress(w, full, dry):
        return min(max((w / full - dry) / (critical - dry), 0.0), 1.0)

    pet, canopy, roots = f["potential_evapotranspiration"], p["canopy_fraction"], p["root_fraction"]
    left = max(w1 - residual * capacity[0], 0.0)
    bare = min(pet * (1.0 - canopy) * stress(w1, capacity[0], residual), left)
    # Roots take nothing below the wilting content.
    taken1 = min(
        pet * canopy * roots * stress(w1, capacity[0], wilting), max(w1 - wilting * capacity[0], 0.0)
    )
    e1 = min(bare + taken1, left)
    e2 = pet * canopy * (1.0 - roots) * stress(w2, capacity[1], wilting)
    e2 = min(e2, max(w2 - wilting * capacity[1], 0.0))
    w1, w2 = w1 - e1, w2 - e2

    def drainage(w, full):
        drainable = full * (1.0 - residual)
        wet = max((w - residual * full) / drainable, 0.0)
        if wet == 0.0:
            return 0.0
        m = p["expt"] - 1.0
        after = wet * (1.0 + m * p["ksat"] / drainable * wet**m) ** (-1.0 / m)
        return (wet - after) * drainable

    down = min(drainage(w1, capacity[0]), capacity[1] - w2)
    w1, w2 = w1 - down, w2 + down
    down = min(drainage(w2, capacity[1]), capacity[2] - w3)
    w2, w3 = w2 - down, w3 + down

    # Both parts of ARNO baseflow integrated over the day: de/dt = -a e² above ws, then dw/dt = -k w.
    linear = p["ds"] * p["dsmax"] / p["ws"]
    threshold = p["ws"] * capacity[2]
    after = w3
    if w3 > threshold and p["dsmax"] > linear:
        a = (p["dsmax"] - linear) / (capacity[2] - threshold) ** 2
        after = threshold + 1.0 / (1.0 / (w3 - threshold) + a)
    after *= math.exp(-linear / capacity[2])
    baseflow = min(w3 - after, max(w3 - residual * capacity[2], 0.0))
    w3 -= baseflow
    return {"snowpack": snow, "w1": w1, "w2": w2, "w3": w3}, {
        # A mean over the step, as the fluxes are.
        "soil_moisture": (s["w1"] + w1) / 2.0 / (1000.0 * p["d1"]),
        "evapotranspiration": e1 + e2,
        "surface_runoff": surface_runoff,
        "baseflow": baseflow,
        "runoff": surface_runoff + baseflow,
    }
