import subprocess
import sys

import xdpl.evaluation

HEAVY = ["scores", "scipy", "dask", "torch", "numba", "pint", "matplotlib"]


def test_all_is_sorted_and_complete():
    assert xdpl.evaluation.__all__ == sorted(xdpl.evaluation.__all__)
    assert all(callable(getattr(xdpl.evaluation, name)) for name in xdpl.evaluation.__all__)


def test_import_is_light():
    code = f"""
import sys, xarray
before = set(sys.modules)
import xdpl.evaluation
print(*[name for name in {HEAVY} if name in set(sys.modules) - before])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
