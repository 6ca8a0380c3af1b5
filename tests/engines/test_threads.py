"""Kernels on threads: every piece once, the same bits for any count, whoever calls and forks."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask
import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, world

from xdpl.engines import array, fused
from xdpl.engines.numba import threads

TESTS = Path(__file__).parent.parent


@pytest.fixture(params=["1", "2", "5"])
def count(request, monkeypatch):
    monkeypatch.setenv("XDPL_NUM_THREADS", request.param)
    return int(request.param)


def pieces(number):
    return [(i, i + 1) for i in range(number)]


def test_count_is_what_is_chosen(count):
    assert threads.count() == count


def test_count_without_a_choice(monkeypatch):
    monkeypatch.delenv("XDPL_NUM_THREADS", raising=False)
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert threads.count() == available
    for wrong in ("0", "-1", "two"):
        monkeypatch.setenv("XDPL_NUM_THREADS", wrong)
        with pytest.raises(ValueError, match=f"a number of at least 1, got '{wrong}'"):
            threads.count()


@pytest.mark.parametrize("number", [0, 1, 2, 4, 5, 300])
def test_every_piece_is_run_once(count, number):
    done = []
    threads.run(lambda begin, end: done.append((begin, end)), pieces(number))
    assert sorted(done) == pieces(number)


def test_pieces_are_run_by_that_many_threads(count):
    meeting = threading.Barrier(count, timeout=20)
    names = set()

    def task(begin, end):
        meeting.wait()
        names.add(threading.current_thread())

    for _ in range(3):
        threads.run(task, pieces(count))
        assert len(names) == count and threading.current_thread() in names
        names.clear()


def test_a_smaller_and_a_larger_count_follow_each_other(monkeypatch):
    for count in (2, 4, 1, 3, 6):
        monkeypatch.setenv("XDPL_NUM_THREADS", str(count))
        test_pieces_are_run_by_that_many_threads(count)


@pytest.mark.parametrize("where", ["caller", "worker"])
def test_an_exception_comes_after_all_running_tasks_ended(monkeypatch, where):
    monkeypatch.setenv("XDPL_NUM_THREADS", "3")
    caller, meeting = threading.current_thread(), threading.Barrier(3, timeout=20)
    raised, ended = threading.Event(), []

    def task(begin, end):
        meeting.wait()
        mine = (threading.current_thread() is caller) == (where == "caller")
        if mine and not raised.is_set():
            raised.set()
            raise FloatingPointError(where)
        assert raised.wait(20)
        time.sleep(0.05)
        ended.append(begin)

    with pytest.raises(FloatingPointError, match=where):
        threads.run(task, pieces(3))
    assert len(ended) == 2
    # The pool is as good as new.
    done = []
    threads.run(lambda begin, end: done.append(begin), pieces(50))
    assert sorted(done) == list(range(50))


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_exception_no_piece_is_begun(monkeypatch, error):
    monkeypatch.setenv("XDPL_NUM_THREADS", "2")
    caller, meeting, begun = threading.current_thread(), threading.Barrier(2, timeout=20), []

    def task(begin, end):
        begun.append(begin)
        if begin < 2:
            meeting.wait()
        if threading.current_thread() is caller:
            raise error
        time.sleep(0.1)

    with pytest.raises(error):
        threads.run(task, pieces(20))
    assert len(begun) <= 3


def test_many_callers_at_a_time(count):
    def call(caller):
        done = []
        for _ in range(20):
            threads.run(lambda begin, end: done.append(begin), pieces(17))
        return sorted(done) == sorted(list(range(17)) * 20)

    with ThreadPoolExecutor(8) as callers:
        assert all(callers.map(call, range(8)))


def arrays(sites=203, days=40, members=None):
    rng = np.random.default_rng(0)
    size = (sites,) if members is None else (members, sites)
    theta = {"leak": rng.uniform(0.02, 0.8, size), "split": rng.random(size)}
    return {"precipitation": rng.gamma(0.5, 9.0, (days, sites))}, theta, {"storage": rng.uniform(0, 50, size)}


def gradients(members):
    """Series, states and gradients of a run on tensors, as bytes."""
    groups = [{k: torch.tensor(v, requires_grad=True) for k, v in g.items()} for g in arrays(members=members)]
    forcings, theta, start = groups
    series, final = fused.run(Bucket(), forcings, theta, initial=start, outputs=("runoff",), members=members)
    results = [*series.values(), *final.values()]
    leaves = [v for g in groups for v in g.values()]
    found = torch.autograd.grad(sum((v * v).sum() for v in results), leaves)
    return [v.detach().numpy().tobytes() for v in (*results, *found)]


@pytest.mark.parametrize("members", [None, 3])
def test_the_same_bits_for_any_count(monkeypatch, members):
    runs = []
    for count in ("1", "2", "3", "7"):
        monkeypatch.setenv("XDPL_NUM_THREADS", count)
        runs.append(gradients(members))
    assert runs[0] == runs[1] == runs[2] == runs[3]


def test_runs_of_many_callers_at_a_time(monkeypatch):
    monkeypatch.setenv("XDPL_NUM_THREADS", "3")
    alone = {members: gradients(members) for members in (None, 3)}
    asked = [None, 3] * 8
    with ThreadPoolExecutor(8) as callers:
        for members, result in zip(asked, callers.map(gradients, asked), strict=True):
            assert result == alone[members]


def test_dask_threads_give_the_same_bits(monkeypatch):
    monkeypatch.setenv("XDPL_NUM_THREADS", "2")
    ds = xr.concat([world()] * 4, "lat").assign_coords(lat=np.arange(8.0))
    want = ds.dpl.simulate(Bucket(), outputs=["runoff", "storage"])
    with dask.config.set(scheduler="threads", num_workers=4):
        lazy = ds.chunk(lat=1, lon=2).dpl.simulate(Bucket(), outputs=["runoff", "storage"])
        assert lazy["runoff"].chunks is not None
        xr.testing.assert_identical(lazy.compute(), want)


def script(code, *, timeout=100, **environ):
    """Output of a script in a fresh interpreter; stuck threads run into the limit."""
    path = os.pathsep.join([*sys.path, str(TESTS), str(TESTS.parent)])
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=os.environ | {"PYTHONPATH": path, "XDPL_NUM_THREADS": "2"} | environ,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_dask_threads_at_first_use(tmp_path):
    """Where several threads compile at a time, and numba has no threads that may be shared."""
    code = """
        import os, dask, numpy as np
        from helpers_learn import Bucket, world
        with dask.config.set(scheduler="threads", num_workers=4):
            lazy = world().chunk(lat=1, lon=1).dpl.simulate(Bucket()).compute()
        same = bool((lazy["runoff"] == world().dpl.simulate(Bucket())["runoff"]).all())
        print(same, len(os.listdir(os.environ["XDPL_CACHE_DIR"])))
    """
    # The world itself is simulated, with the same kernel in single precision.
    environ = {"NUMBA_THREADING_LAYER": "workqueue", "XDPL_CACHE_DIR": str(tmp_path)}
    assert script(code, **environ)[0] == "True"


FORKS = """
import multiprocessing, os, signal, sys, warnings
import numpy as np
# Of Python 3.12: the pool has threads.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
from xdpl.engines import fused
from xdpl.engines.numba import threads
from xdpl.models.hbv import HBV

model = HBV()
rng = np.random.default_rng(0)
forcings = {f.name: rng.uniform(0.0, 9.0, (20, 300)) for f in model.forcings}
theta = {k: np.full(300, v) for k, v in model.defaults().items()}


def simulate(_=None):
    series, _ = fused.run(model, forcings, theta, outputs=("streamflow",))
    return series["streamflow"].tobytes()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_has_a_pool_of_its_own():
    code = """
first = simulate()
assert threads._pool is not None
for _ in range(3):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            # A child that waits for threads it does not have is killed.
            signal.alarm(30)
            assert threads._pool is None
            same = simulate() == first and simulate() == first
            grandchild = os.fork()
            if grandchild == 0:
                os._exit(0 if simulate() == first else 1)
            same = same and os.waitpid(grandchild, 0)[1] == 0
            code = 0 if same and threads._pool is not None else 2
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    assert simulate() == first
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(all(got == first for got in pool.map_async(simulate, range(4)).get(60)))
"""
    assert script(FORKS + code) == ["0", "0", "0", "True"]


def test_spawned_processes(tmp_path):
    code = """
if __name__ == "__main__":
    first = simulate()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(all(got == first for got in pool.map_async(simulate, range(4)).get(60)))
"""
    # A spawned process imports its script, which must be a file.
    file = tmp_path / "spawns.py"
    file.write_text(FORKS + code)
    assert script(f"import runpy; runpy.run_path({str(file)!r}, run_name='__main__')") == ["True"]


@pytest.mark.skipif(sys.platform == "win32", reason="no signals like these")
def test_an_interrupt_of_a_long_run():
    code = """
import threading, time
# A shell that starts this in the background has interrupts ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
days = 300_000
long = {k: np.broadcast_to(v[:1], (days, 300)) for k, v in forcings.items()}
simulate()
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    while True:
        fused.run(model, long, theta)
except KeyboardInterrupt:
    print("interrupted")
print(simulate() == simulate())
"""
    assert script(FORKS + code) == ["interrupted", "True"]


def test_the_engines_agree_whatever_the_count(count):
    forcings, theta, start = arrays(sites=37)
    got, _ = fused.run(Bucket(), forcings, theta, initial=start, outputs=("runoff",))
    want, _ = array.run(Bucket(), forcings, theta, initial=start, outputs=("runoff",))
    np.testing.assert_allclose(got["runoff"], want["runoff"], rtol=1e-12)


def test_signals_reach_this_process_as_before():
    """Nothing here handles signals: Ctrl-C stays Python's."""
    before = signal.getsignal(signal.SIGINT)
    fused.run(Bucket(), *arrays()[:2])
    assert signal.getsignal(signal.SIGINT) is before
