"""Simulate a grid of sites from zarr to zarr, within little memory, beside a run in memory.

python docs/scripts/bigger_than_memory.py FOLDER [SITES] [results.jsonl]

The forcings are those of the 438 MOPEX basins over 20 years, repeated and each time changed a
little, so that they take the space on disk that real data take. Every way runs in a process of its
own; its peak memory is the one the operating system reports.
"""

import json
import pathlib
import resource
import shutil
import subprocess
import sys
import time

import numpy as np
import xarray as xr

import xdpl

BLOCK = 500
OUTPUTS = ["streamflow"]


def prepare(path: pathlib.Path, sites: int) -> None:
    """Write the forcings, block by block."""
    ds = xdpl.data.open("mopex438-1970-1990")
    ds = ds.isel(basin=(ds["forcing_complete"] == 1).values)
    few = xr.Dataset(
        {
            "precipitation": ds["pr"],
            "air_temperature": ((ds["tasmin"] + ds["tasmax"]) / 2).assign_attrs(units="degC"),
            "potential_evapotranspiration": ds.dpl.pet("hargreaves"),
        }
    )
    few = few.drop_vars(few.coords).assign_coords(time=ds["time"]).transpose("time", "basin").load()
    for start in range(0, sites, BLOCK):
        rng = np.random.default_rng(start)
        part = few.isel(basin=rng.integers(0, few.sizes["basin"], min(BLOCK, sites - start)))
        part = part.rename(basin="site").assign_coords(site=np.arange(start, start + part.sizes["basin"]))
        scale = xr.DataArray(rng.uniform(0.8, 1.2, part.sizes["site"]).astype("f4"), dims="site")
        for name in ("precipitation", "potential_evapotranspiration"):
            # To a hundredth of a millimetre, as data are.
            part[name] = (part[name] * scale).round(2).assign_attrs(units="mm d-1")
        if start:
            part.drop_vars("time").to_zarr(path, append_dim="site", consolidated=False)
        else:
            chunks = {name: {"chunks": (part.sizes["time"], BLOCK)} for name in part}
            part.drop_encoding().to_zarr(path, consolidated=False, encoding=chunks)


def warm_up(source: pathlib.Path) -> None:
    """Compile the kernel; not a part of any of the times."""
    xr.open_zarr(source, consolidated=False, chunks=None).isel(site=[0]).dpl.simulate("hbv", outputs=OUTPUTS)


def streamed(source: pathlib.Path, target: pathlib.Path) -> dict[str, float]:
    """From zarr to zarr, a few blocks at a time."""
    warm_up(source)
    start = time.perf_counter()
    ds = xr.open_zarr(source, consolidated=False)
    ds.dpl.simulate("hbv", outputs=OUTPUTS).dpl.to_zarr(target, progress=False)
    return {"seconds": time.perf_counter() - start}


def in_memory(source: pathlib.Path, target: pathlib.Path) -> dict[str, float]:
    """Everything read, then run, then written."""
    warm_up(source)
    start = time.perf_counter()
    ds = xr.open_zarr(source, consolidated=False).load()
    read = time.perf_counter()
    sim = ds.dpl.simulate("hbv", outputs=OUTPUTS)
    run = time.perf_counter()
    # In the same chunks and by the same threads as the other.
    sim.chunk(site=BLOCK).to_zarr(target, consolidated=False)
    end = time.perf_counter()
    return {"seconds": end - start, "read": read - start, "run": run - read, "write": end - run}


def main() -> None:
    """Run both ways and print what they took."""
    folder = pathlib.Path(sys.argv[1])
    if sys.argv[2:3] in (["streamed"], ["in_memory"]):
        took = globals()[sys.argv[2]](folder / "forcings.zarr", folder / f"{sys.argv[2]}.zarr")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps(took | {"peak": peak}))
        return
    sites = int(sys.argv[2]) if len(sys.argv) > 2 else 40_000
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "forcings.zarr"
    if not source.exists():
        prepare(source, sites)
    results = {"sites": sites, "days": xr.open_zarr(source, consolidated=False).sizes["time"]}
    for way in ("streamed", "in_memory"):
        shutil.rmtree(folder / f"{way}.zarr", ignore_errors=True)
        done = subprocess.run(
            [sys.executable, __file__, folder, way], check=True, capture_output=True, text=True
        )
        results[way] = json.loads(done.stdout)
    a, b = (xr.open_zarr(folder / f"{w}.zarr", consolidated=False) for w in ("streamed", "in_memory"))
    # The whole series of a tenth of the sites: all of them would need the memory that is to be saved.
    few = slice(None, None, 10)
    xr.testing.assert_equal(a.isel(site=few).load(), b.isel(site=few).load())
    results["ratio"] = results["in_memory"]["seconds"] / results["streamed"]["seconds"]
    print(json.dumps(results, indent=1))
    if len(sys.argv) > 3:
        with open(sys.argv[3], "a") as file:
            file.write(json.dumps({"measurement": "bigger than memory"} | results) + "\n")


if __name__ == "__main__":
    main()
