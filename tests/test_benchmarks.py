"""The bodies of the benchmarks run: what asv would measure works, on the smallest parameters."""

import importlib
import inspect
import pathlib
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[1] / "asv_bench"


def benchmarks():
    sys.path.insert(0, str(ROOT))
    try:
        for file in sorted((ROOT / "benchmarks").glob("*.py")):
            module = importlib.import_module(f"benchmarks.{file.stem}")
            for name, cls in inspect.getmembers(module, inspect.isclass):
                if cls.__module__ == module.__name__:
                    for method in (m for m in dir(cls) if m.startswith(("track_", "time_", "peakmem_"))):
                        yield pytest.param(cls, method, id=f"{file.stem}.{name}.{method}")
    finally:
        sys.path.remove(str(ROOT))


@pytest.mark.parametrize(("cls", "method"), list(benchmarks()))
def test_runs(cls, method):
    first = [values[0] if isinstance(values, list) else values for values in getattr(cls, "params", [])]
    if getattr(cls, "params", None) and not isinstance(cls.params[0], list):
        first = [cls.params[0]]
    case = cls()
    case.setup(*first)
    result = getattr(case, method)(*first)
    assert np.isfinite(result)
    assert result > 0
