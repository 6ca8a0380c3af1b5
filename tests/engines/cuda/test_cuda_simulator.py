"""Kernels for GPUs run without one: numba simulates it, if it is told before it is imported."""

import os
import subprocess
import sys
from pathlib import Path

NO_PLUGINS = ("-p", "no:cacheprovider", "-p", "no:xdist")


def test_kernels_in_the_simulator():
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *NO_PLUGINS, str(here / "simulator_cases.py")],
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        cwd=here.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
