"""A model that uses every operation that kernels know."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xdpl.models.base import Flux, Forcing, Model, Parameter, State


@dataclass(frozen=True)
class Everything(Model):
    """No physics: a store that forgets, and fluxes of all functions."""

    waves: bool = True

    name: ClassVar[str] = "everything"

    forcings = (Forcing("x", "1"), Forcing("z", "1"))
    parameters = (Parameter("a", 0.5, 2.0, "1", 1.0), Parameter("b", 0.5, 2.0, "1", 1.0))
    states = (State("s", "1"), State("r", "1"))
    fluxes = (Flux("smooth", "1"), Flux("powers", "1"), Flux("steps", "1"), Flux("choices", "1"))
    outputs = ("smooth", "powers", "steps", "choices")

    def step(self, xp, s, f, p):
        x, z, a, b = f.x, f.z, p.a, p.b
        positive = xp.abs(x) + 0.5
        smooth = xp.exp(0.1 * x) + xp.expm1(0.2 * s.s) + xp.log(positive) + xp.log1p(positive)
        smooth = smooth + xp.log2(positive) - xp.log10(positive) + xp.sqrt(positive) / a
        smooth = smooth + xp.tanh(z) + xp.sinh(0.3 * z) + xp.cosh(0.3 * z)
        if self.waves:
            smooth = smooth + xp.sin(x) * xp.cos(z)
        powers = positive**b + x**2 + x**3 - x**4 + x**5 + positive**-1 + positive**-2 + positive**0.5
        powers = powers + 2.0**z + x**0.0 + a / positive - (-x) * b
        steps = xp.floor(x) + 2.0 * xp.ceil(x) + 3.0 * xp.round(z) + 4.0 * xp.trunc(z)
        low = xp.minimum(x, z) + xp.maximum(x, 0.25) - xp.minimum(0.75, z) + xp.maximum(s.r, a)
        low = low + xp.clip(x, min=0.0) * xp.clip(z, max=1.0) + xp.clip(x, min=-0.5, max=0.5)
        low = low + xp.clip(z, min=-a, max=b) * xp.clip(s.s, min=0.1, max=b)
        wet = ((x > z) | (x <= -1.0)) & ~(z >= 2.0)
        odd = (x < 0.0) ^ (z == x)
        whole = xp.isfinite(z / a) & ~xp.isnan(x) & ~xp.isinf(x)
        choices = low + xp.where(wet, x * a, z) + xp.where(odd, b, 1.0) * xp.where(whole, z, -1.0)
        choices = choices + xp.where(x != z, 0.5, x)
        states = {"s": 0.5 * s.s + 0.1 * xp.tanh(x), "r": s.s * 0.9 + 0.1 * z}
        return states, {"smooth": smooth, "powers": powers, "steps": steps, "choices": choices}


def inputs(days, shape, seed=0):
    """Forcings, parameters and states (member, site), away from the steps of its functions."""
    rng = np.random.default_rng(seed)
    forcings = {k: rng.uniform(-2.0, 2.0, (days, shape[-1])) for k in ("x", "z")}
    parameters = {k: rng.uniform(0.5, 2.0, shape) for k in ("a", "b")}
    return forcings, parameters, {k: rng.uniform(0.2, 0.6, shape) for k in ("s", "r")}
