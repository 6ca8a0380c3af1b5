"""Kernels on disk: written once, found again, never out of date, never in the way."""

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest
from helpers_learn import Bucket
from model_cases import MODELS

from xdpl.engines import array, fused
from xdpl.engines.numba import cache, kernels, machine
from xdpl.engines.tracing.order import Order
from xdpl.engines.tracing.trace import step_of

RAIN = np.random.default_rng(0).gamma(0.5, 8.0, (12, 9))
PARAMETERS = {"leak": np.linspace(0.05, 0.8, 9), "split": np.linspace(0.0, 1.0, 9)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A cache of its own, as a process finds it that has not run a kernel yet."""
    monkeypatch.setenv("XDPL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(kernels, "_kernels", {})
    return tmp_path / "cache"


@pytest.fixture
def compiled(monkeypatch):
    """How many kernels are compiled."""
    import xdpl.engines.numba.compile as module

    calls = []
    original = module.compile_kernel
    monkeypatch.setattr(module, "compile_kernel", lambda *a: calls.append(a) or original(*a))
    return calls


def forget():
    kernels._kernels.clear()


def assert_right(model=None):
    model = model or Bucket()
    got, _ = fused.run(model, {"precipitation": RAIN}, PARAMETERS, outputs=("runoff",))
    want, _ = array.run(model, {"precipitation": RAIN}, PARAMETERS, outputs=("runoff",))
    np.testing.assert_allclose(got["runoff"], want["runoff"], rtol=1e-13)
    return got["runoff"]


def entries(folder):
    """Names of entries; nothing else may be there."""
    names = sorted(p.name for p in folder.iterdir())
    assert all(name.endswith(".kernel") for name in names), names
    return names


def python(script, folder, *arguments, **options):
    """Output of a script in a fresh interpreter."""
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent.parent)])
    environ = os.environ | {"XDPL_CACHE_DIR": str(folder), "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        **{"env": environ, "capture_output": True, "text": True, "timeout": 120} | options,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_next_process_needs_no_compiler(tmp_path):
    script = """
        import json, sys
        from model_cases import weather
        import xdpl
        sim = weather(days=20).dpl.simulate("hbv")
        loaded = [m for m in ("numba", "torch") if m in sys.modules]
        print(json.dumps({"total": sim["streamflow"].sum().item().hex(), "loaded": loaded}))
    """
    first = json.loads(python(script, tmp_path))
    written = [(p.name, p.stat().st_mtime_ns) for p in tmp_path.iterdir()]
    second = json.loads(python(script, tmp_path))
    assert first["loaded"] == ["numba"] and second["loaded"] == []
    assert first["total"] == second["total"]
    # Of the step and of the route.
    assert len(entries(tmp_path)) == 2
    assert [(p.name, p.stat().st_mtime_ns) for p in tmp_path.iterdir()] == written


def test_a_kernel_is_compiled_once(folder, compiled):
    first = assert_right()
    forget()
    np.testing.assert_array_equal(assert_right(), first)
    assert_right(Bucket())
    assert len(compiled) == 1 and len(entries(folder)) == 1


SOURCE = """
from helpers_learn import Bucket

RATE = {rate}


def scaled(x):
    return {factor} * x


class Leaky(Bucket):
    def step(self, xp, s, f, p):
        states, fluxes = super().step(xp, s, f, p)
        return states, fluxes | {{"runoff": {number} * scaled(fluxes["runoff"]) + RATE}}
"""


def module_of(path, **numbers):
    path.write_text(SOURCE.format(**{"number": 1.0, "factor": 1.0, "rate": 0.0} | numbers))
    spec = importlib.util.spec_from_file_location("leaky", path)
    module = importlib.util.module_from_spec(spec)
    # Not from bytecode: the file is changed within a second.
    exec(compile(path.read_text(), path, "exec"), module.__dict__)
    return module


def test_a_changed_model_has_a_kernel_of_its_own(folder, tmp_path):
    """Each time a class of the same name from the same file, as in a session."""
    path = tmp_path / "leaky.py"
    first = assert_right(module_of(path).Leaky())
    for count, (name, number) in enumerate({"number": 1.5, "factor": 2.5}.items(), start=2):
        assert (assert_right(module_of(path, **{name: number}).Leaky()) == number * first).all()
        assert len(entries(folder)) == count


def test_a_changed_global_of_the_same_class_counts(folder, tmp_path):
    """A number or a function that the step uses, set anew in a session."""
    module = module_of(tmp_path / "leaky.py")
    model = module.Leaky()
    first = assert_right(model)
    module.RATE = 0.5
    assert (assert_right(model) == first + 0.5).all()


def test_a_step_that_is_replaced_counts(folder, tmp_path, monkeypatch):
    class Other(Bucket):
        pass

    first = assert_right(Other())
    doubled = module_of(tmp_path / "leaky.py", number=2.0).Leaky()
    monkeypatch.setattr(Other, "step", lambda self, xp, s, f, p: doubled.step(xp, s, f, p), raising=False)
    assert (assert_right(Other()) == 2.0 * first).all()


def key_of(monkeypatch, order):
    """Name of the entry that an order asks for, without making it."""

    class Asked(Exception):
        pass

    def stop(entry):
        raise Asked(entry)

    with monkeypatch.context() as patch:
        patch.setattr(cache, "read", stop)
        with pytest.raises(Asked) as raised:
            kernels._make(order)
    return str(raised.value)


def orders():
    step = step_of(Bucket(), ("runoff",))
    order = Order(step, "float64")
    return {
        "plain": order,
        "dtype": dataclasses.replace(order, dtype="float32"),
        "moving": dataclasses.replace(order, moving=frozenset({"leak"})),
        "moving other": dataclasses.replace(order, moving=frozenset({"split"})),
        "moving both": dataclasses.replace(order, moving=frozenset({"split", "leak"})),
        "outputs": Order(step_of(Bucket(), ("wetness",)), "float64"),
        "more outputs": Order(step_of(Bucket(), ("runoff", "wetness")), "float64"),
        "other order": Order(step_of(Bucket(), ("wetness", "runoff")), "float64"),
        "backward": dataclasses.replace(order, backward=True),
        "forcings": dataclasses.replace(order, backward=True, forcings=True),
        "time step": Order(step_of(Bucket(dt=0.5), ("runoff",)), "float64"),
        "model": Order(step_of(MODELS["hbv"], ("streamflow",)), "float64"),
        "variant": Order(step_of(MODELS["hbv-capillary"], ("streamflow",)), "float64"),
    }


def test_each_order_has_its_entry(monkeypatch):
    keys = {name: key_of(monkeypatch, order) for name, order in orders().items()}
    assert len(set(keys.values())) == len(keys)
    assert keys == {name: key_of(monkeypatch, order) for name, order in orders().items()}


@pytest.mark.parametrize("what", ["triple", "cpu", "features", "llvm", "versions", "python", "emitter"])
def test_what_decides_about_machine_code_decides_about_the_entry(monkeypatch, what):
    order = orders()["plain"]
    before, versions = key_of(monkeypatch, order), cache._versions()
    if what == "versions":
        monkeypatch.setattr(cache, "_versions", lambda: (*versions[:-1], "numba 99"))
    elif what == "python":
        monkeypatch.setattr(sys, "version", "4.0")
        monkeypatch.setattr(cache, "_versions", cache._versions.__wrapped__)
    elif what == "emitter":
        monkeypatch.setattr(cache, "_emitter", lambda: "0" * 64)
    else:
        other = dataclasses.replace(machine.host(), **{what: "another"})
        monkeypatch.setattr(cache, "host", lambda: other)
    assert key_of(monkeypatch, order) != before


def test_every_source_that_makes_kernels_is_in_the_digest(monkeypatch):
    seen = []
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: seen.append(path) or original(path))
    digest = cache._emitter.__wrapped__()
    assert digest == cache._emitter()
    assert {"emit.py", "compile.py", "loops.py", "graph.py", "simplify.py", "adjoint.py", "split.py"} <= {
        path.name for path in seen
    }
    monkeypatch.setattr(Path, "read_bytes", lambda path: original(path) + b" " * (path.name == "emit.py"))
    assert cache._emitter.__wrapped__() != digest


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES = {
    "empty": lambda c: b"",
    "half": lambda c: c[: len(c) // 2],
    "one byte short": lambda c: c[:-1],
    "one byte more": lambda c: c + b"\n",
    "no lines": lambda c: c.replace(b"\n", b""),
    "only the digest": lambda c: c.partition(b"\n")[0],
    "a bit of the digest": lambda c: flipped(c, 5),
    "a bit of the first newline": lambda c: flipped(c, 64),
    "a bit of the description": lambda c: flipped(c, 70),
    "a bit of the code": lambda c: flipped(c, len(c) - 100),
    "zeros": lambda c: bytes(len(c)),
}


def test_any_damage_is_noticed(folder):
    cache.write("entry", {"name": "x"}, bytes(range(256)) * 4)
    file = folder / "entry.kernel"
    content = file.read_bytes()
    assert cache.read("entry") == ({"name": "x"}, bytes(range(256)) * 4)
    for name, damage in DAMAGES.items():
        file.write_bytes(damage(content))
        assert cache.read("entry") is None, name
    assert cache.read("another") is None


def test_a_damaged_entry_is_repaired(folder, compiled):
    first = assert_right()
    (file,) = folder.iterdir()
    content = file.read_bytes()
    file.write_bytes(DAMAGES["a bit of the code"](content))
    forget()
    np.testing.assert_array_equal(assert_right(), first)
    assert cache.read(file.stem) is not None and len(entries(folder)) == 1
    forget()
    np.testing.assert_array_equal(assert_right(), first)
    assert len(compiled) == 2


def test_a_folder_that_cannot_be_made(tmp_path, folder, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDPL_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert_right()
    assert (tmp_path / "file").read_text() == ""


def test_a_folder_that_cannot_be_written_to(folder, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    cache.write("entry", {}, b"code")
    assert entries(folder) == [] and cache.read("entry") is None


def test_parents_are_made(folder, monkeypatch):
    deep = folder / "a" / "b"
    monkeypatch.setenv("XDPL_CACHE_DIR", str(deep))
    cache.write("entry", {}, b"code")
    assert cache.folder() == deep and entries(deep) == ["entry.kernel"]


def test_without_a_choice_the_folder_is_that_of_the_user(monkeypatch):
    monkeypatch.delenv("XDPL_CACHE_DIR", raising=False)
    assert cache.folder().name == "kernels" and "xdpl" in cache.folder().parts
    chosen = cache.folder()
    monkeypatch.setenv("XDPL_CACHE_DIR", "")
    assert cache.folder() == chosen


@pytest.mark.parametrize("step", ["write", "replace"])
def test_a_full_disk_leaves_nothing_behind(folder, monkeypatch, step):
    def full(*args):
        raise OSError(28, "No space left on device")

    original = tempfile.NamedTemporaryFile

    def file(*args, **options):
        made = original(*args, **options)
        made.write = full
        return made

    if step == "write":
        monkeypatch.setattr(tempfile, "NamedTemporaryFile", file)
    else:
        monkeypatch.setattr(os, "replace", full)
    cache.write("entry", {}, b"code")
    assert entries(folder) == []


def test_four_processes_at_first_use(tmp_path):
    """Forked before this kernel is compiled, and let go at the same time."""
    script = """
        import os, sys
        import numpy as np
        from test_kernel_cache import Bucket, assert_right
        assert_right(Bucket(dt=0.5))
        os.environ["XDPL_CACHE_DIR"] = sys.argv[2]
        gate, go = os.pipe()
        children = []
        for _ in range(4):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    os.close(go)
                    os.read(gate, 1)
                    np.save(f"{sys.argv[1]}/{os.getpid()}.npy", assert_right())
                    code = 0
                finally:
                    os._exit(code)
            children.append(child)
        os.close(go)
        print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
    """
    cache_folder, results = tmp_path / "cache", tmp_path / "results"
    results.mkdir()
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent), str(Path(__file__).parent.parent)])
    environ = os.environ | {"PYTHONPATH": path, "XDPL_NUM_THREADS": "1"}
    assert python(script, results, results, cache_folder, env=environ).split("\n")[0] == "[0, 0, 0, 0]"
    first, *others = [np.load(p) for p in results.iterdir()]
    assert len(others) == 3 and all((other == first).all() for other in others)
    assert len(entries(cache_folder)) == 1
