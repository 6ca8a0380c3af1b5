"""How a page writes numbers."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["MISSING", "number", "percent", "power_of_ten", "with_units"]

MISSING = "missing"
# Beyond, a power of ten says more.
_SMALL, _LARGE = 1e-4, 1e6


def number(value: Any, digits: int = 3) -> str:
    """A number to some significant digits; "missing" where there is none."""
    value = float(value)
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        text = "infinite" if value > 0 else "-infinite"
    elif value != 0 and not _SMALL <= abs(value) < _LARGE:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{mantissa} × 10{_raised(int(exponent))}"
    else:
        size = math.floor(math.log10(abs(value))) if value else 0
        text = f"{value:.{max(digits - 1 - size, 0)}f}" if value else "0"
    return text.replace("-", "\N{MINUS SIGN}")


def with_units(value: Any, units: str, digits: int = 3) -> str:
    """A number with its units; none after those without a dimension."""
    text = number(value, digits)
    return text if units == "1" or text == MISSING else f"{text} {units}"


def percent(share: Any) -> str:
    """A share as a percentage."""
    share = float(share)
    return MISSING if math.isnan(share) else f"{100 * share:.0f} %"


def power_of_ten(value: float) -> str:
    """A power of ten, as an axis shows it."""
    return f"10{_raised(round(math.log10(value)))}"


def _raised(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
