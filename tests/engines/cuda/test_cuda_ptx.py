"""Kernels compiled for GPUs without one: what the instructions are, registers, memory."""

import functools
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from cuda_everything import Everything
from model_cases import MODELS

from xdpl.engines.tracing.order import Order
from xdpl.engines.tracing.trace import step_of

pytest.importorskip("numba_cuda", reason="numba-cuda compiles for GPUs")

CAPABILITY = (9, 0)
ALL = {**MODELS, "waves": Everything(), "no waves": Everything(waves=False)}
# Bytes of local memory for each thread: the adjoint of a step of a thousand operations keeps more
# values than there are registers.
SPILLED = {("noah", True): 4096}


@functools.cache
def ptx_of(name, dtype, backward, moving=frozenset()):
    from numba import cuda, types

    from xdpl.engines.cuda.kernels import function

    model = ALL[name]
    order = Order(step_of(model, model.outputs[:2]), dtype, moving, backward, backward)
    if isinstance(model, Everything):
        order = Order(step_of(model, model.outputs), dtype, moving, backward, backward)
    made, arguments, _ = function(order)
    number = getattr(types, dtype)
    signature = types.void(
        *[types.int64] * len(arguments.integers),
        *[number] * len(arguments.numbers),
        *[number[::1]] * len(arguments.arrays),
    )
    text, _ = cuda.compile_ptx(made, signature, cc=CAPABILITY)
    return text


def instructions(text, dtype):
    return [line.strip() for line in text.splitlines() if re.search(rf"\.{dtype}\b", line)]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", [*MODELS, "no waves"])
def test_float32_kernels_compute_in_float32(name, backward):
    text = ptx_of(name, "float32", backward)
    assert instructions(text, "f64") == []
    assert len(instructions(text, "f32")) > 100


def test_sine_and_cosine_reduce_large_angles_in_float64():
    """CUDA's own functions do, and only beyond 105615; nothing else may."""
    found = {line.split()[0] for line in instructions(ptx_of("waves", "float32", False), "f64")}
    assert found <= {".reg", "cvt.rn.f64.s64", "mul.f64", "mul.rn.f64", "cvt.rn.f32.f64"}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_float64_kernels_compute_in_float64(name, backward):
    text = ptx_of(name, "float64", backward)
    # Powers look at the halves of a number as bits; that is no arithmetic.
    assert [line for line in instructions(text, "f32") if re.match(r"(add|mul|fma|div|sub)\.", line)] == []
    assert len(instructions(text, "f64")) > 100


def test_parameters_that_vary_in_time_compile():
    assert instructions(ptx_of("hbv", "float32", True, frozenset({"beta", "k1"})), "f64") == []


def _assembler():
    nvidia = find_spec("nvidia")
    for folder in nvidia.submodule_search_locations if nvidia else ():
        found = sorted(Path(folder).glob("*/bin/ptxas*"))
        if found:
            return str(found[0])
    return shutil.which("ptxas")


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_float32_kernels_fit_in_registers(name, backward, tmp_path, record_property):
    assembler = _assembler()
    if assembler is None:
        pytest.skip("no ptxas")
    (tmp_path / "kernel.ptx").write_text(ptx_of(name, "float32", backward))
    done = subprocess.run(
        [assembler, "-arch=sm_90", "-v", "kernel.ptx", "-o", "kernel.cubin"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if "Unsupported .version" in done.stderr:
        pytest.skip("ptxas is older than what made the PTX")
    assert done.returncode == 0, done.stderr
    registers = int(re.search(r"Used (\d+) registers", done.stderr).group(1))
    spilled = int(re.search(r"(\d+) bytes spill stores", done.stderr).group(1))
    record_property("registers", registers)
    print(f"{name}: {registers} registers, {spilled} bytes spilled")
    allowed = SPILLED.get((name, backward), 0)
    assert spilled <= allowed
    assert registers < 255 or allowed
