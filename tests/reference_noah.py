"""A plain-Python loop of the model noah over one site, written from the equations of its page."""

import math
from itertools import pairwise

import numpy as np

LAYERS = (0.1, 0.3, 0.6, 1.0)


def canopy(water, rain, demand, capacity):
    """Rutter-type store: after, dripped and evaporated, by the limit it tends to and the rate at which."""
    if rain + demand == 0.0:
        return water, 0.0, 0.0
    rate = (rain + demand) / capacity
    limit = capacity * rain / (rain + demand)
    after = limit + (water - limit) * math.exp(-rate)
    mean = limit + (water - limit) * (1.0 - math.exp(-rate)) / rate
    return after, rain * mean / capacity, demand * mean / capacity


def canopy_ratio(temperature, stress, p, ra=100.0):
    """Penman-Monteith over Penman with rc = rc_min / (lai F(T) F(soil))."""
    factor = max(1.0 - 0.0016 * (25.0 - temperature) ** 2, 0.0) * stress
    if factor == 0.0:
        return 0.0
    rc = p["rc_min"] / (p["lai"] * factor)
    es = 0.6108 * math.exp(17.27 * temperature / (temperature + 237.3))
    delta, gamma = 4098.0 * es / (temperature + 237.3) ** 2, 0.0674
    return (delta + gamma) / (delta + gamma * (1.0 + rc / ra))


def curves(theta, p):
    """Conductivity (mm d-1), matric flux potential (mm2 d-1) and their derivatives by the content."""
    s, b, k = theta / p["porosity"], p["b"], p["ksat"]
    psi = 1000.0 * p["psi_sat"]
    phi = k * psi * b / (b + 3.0) * s ** (b + 3.0)
    diffusivity = k * s ** (2 * b + 3.0) * psi * b * s ** (-b - 1.0) / p["porosity"]
    return k * s ** (2 * b + 3.0), phi, (2 * b + 3.0) * k * s ** (2 * b + 2.0) / p["porosity"], diffusivity


def implicit(w, inflow, uptake, p, h):
    """Fluxes below each layer from (I - h J) dw = h f(w), solved for the water contents."""
    mm = [1000.0 * d for d in LAYERS]
    k, phi, dk, d = zip(*(curves(x / z, p) for x, z in zip(w, mm, strict=True)), strict=True)
    fluxes, jacobian = [], np.zeros((4, 4))
    for i in range(4):
        share = p["slope"] if i == 3 else 1.0
        flux, above, below = share * k[i], share * dk[i], 0.0
        if i < 3:
            apart = (mm[i] + mm[i + 1]) / 2.0
            flux += (phi[i] - phi[i + 1]) / apart
            above, below = above + d[i] / apart, -d[i + 1] / apart
        fluxes.append(h * flux)
        for layer, sign in ((i, -1.0), (i + 1, 1.0)):
            if layer < 4:
                jacobian[layer, i] += sign * h * above / mm[i]
                if i < 3:
                    jacobian[layer, i + 1] += sign * h * below / mm[i + 1]
    into = [inflow, *fluxes[:-1]]
    change = np.linalg.solve(
        np.eye(4) - jacobian, [a - q - e for a, q, e in zip(into, fluxes, uptake, strict=True)]
    )
    found, above = [], inflow
    for i in range(3):
        above = above - uptake[i] - float(change[i])
        found.append(above)
    # Small beside what it is the difference of: from its own equation.
    return [*found, h * p["slope"] * (k[3] + dk[3] * float(change[3]) / mm[3])]


def noah_step(s, f, p, substeps=4):
    """Noah-type column as on its page; four implicit steps of the soil in a day."""
    precipitation, heat = f["precipitation"], f["air_temperature"] - p["tt"]
    rain = precipitation * min(max(0.5 + heat / 2.0, 0.0), 1.0)
    snow = s["snowpack"] + precipitation - rain
    melt = min(max(p["cfmax"] * heat, 0.0), snow)
    snow -= melt

    green, pet = p["vegetation_fraction"], f["potential_evapotranspiration"]
    leaves = green * p["leaf_capacity"] * p["lai"]
    canopy_water, drip, intercepted = canopy(s["canopy_water"], green * rain, green * pet, leaves)
    liquid = (1.0 - green) * rain + drip + melt

    w = [s[f"w{i}"] for i in range(1, 5)]
    full = [1000.0 * p["porosity"] * d for d in LAYERS]
    reach = (sum(full) - sum(w)) * (1.0 - math.exp(-p["refkdt"] * p["ksat"] / 172.8))
    infiltration = liquid * reach / (liquid + reach) if liquid + reach > 0.0 else 0.0
    runoff = liquid - infiltration

    reference = p["porosity"] * p["reference_fraction"]
    wilting = reference * p["wilting_fraction"]
    dry = wilting * p["dry_fraction"]
    bottoms = [sum(LAYERS[:i]) for i in range(5)]
    deep = [1.0 - math.exp(-z / p["root_depth"]) for z in bottoms]
    roots = [(below - above) / deep[-1] for above, below in pairwise(deep)]
    inflow, h = infiltration / substeps, 1.0 / substeps
    bare_sum = transpired = baseflow = 0.0
    for _ in range(substeps):
        wetness = min(max((w[0] / 100.0 - dry) / (p["porosity"] - dry), 0.0), 1.0)
        bare = (1.0 - green) * pet * h * wetness ** p["fxexp"]
        bare = min(bare, max(w[0] - 100.0 * dry, 0.0))
        held = [w[0] - bare, *w[1:]]
        taken = []
        for r, d, inside in zip(roots, LAYERS, held, strict=True):
            stress = min(max((inside / (1000.0 * d) - wilting) / (reference - wilting), 0.0), 1.0)
            wanted = (green * pet - intercepted) * h * r * canopy_ratio(f["air_temperature"], stress, p)
            taken.append(min(wanted, max(inside - 1000.0 * d * wilting, 0.0)))
        uptake = [bare + taken[0], *taken[1:]]
        fluxes = implicit(w, inflow, uptake, p, h)
        held = [x - e for x, e in zip(w, uptake, strict=True)]
        w, above = [], inflow
        for i, flux in enumerate(fluxes):
            least = -held[i + 1] if i < 3 else 0.0
            out = min(max(flux, least), held[i] + above)
            w.append(held[i] + above - out)
            above = out
        excess = 0.0
        for i in (3, 2, 1, 0):
            w[i] += excess
            excess = max(w[i] - full[i], 0.0)
            w[i] -= excess
        runoff, baseflow = runoff + excess, baseflow + above
        bare_sum, transpired = bare_sum + bare, transpired + sum(taken)
    layers = {f"w{i + 1}": x for i, x in enumerate(w)}
    return {"snowpack": snow, "canopy_water": canopy_water, **layers}, {
        "soil_moisture": (s["w1"] + w[0]) / 200.0,
        "evapotranspiration": intercepted + transpired + bare_sum,
        "canopy_evaporation": intercepted,
        "transpiration": transpired,
        "bare_soil_evaporation": bare_sum,
        "surface_runoff": runoff,
        "baseflow": baseflow,
        "runoff": runoff + baseflow,
    }
