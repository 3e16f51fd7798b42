"""`wsr bench photograph`: measures which share of the CPU seconds of `wsr fit` is not spent on fitting, alone and on a
busy machine."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from PIL import Image
from skimage.data import astronaut

from wsr.bench.fit import machine
from wsr.errors import counted
from wsr.fields.base import compute_dtype
from wsr.fitting.fit import representation_for
from wsr.fitting.loop import run_fit
from wsr.fitting.problem import make_problem
from wsr.fitting.settings import FitSettings
from wsr.presets import preset


def bench_photograph(
    steps: int, *, busy: int = 2, code: Path | None = None, say: Callable[[str], None] = print
) -> dict:
    """Runs `wsr fit` on the astronaut in a process, first alone and then beside `busy` processes that keep cores busy.

    code: the folder of another version of wsr, from which the command is run instead. Everything that the command takes
    beyond the CPU seconds of the steps with one thread counts as not fitting: starting, reading, records, writing, and
    threads that spin.
    """
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "astronaut.png"
        Image.fromarray(astronaut()).save(picture)
        fitting, rows = steps_alone(picture, steps), []
        say(f"{counted(steps, 'step')} alone, one thread: {fitting:.1f} CPU seconds")
        for beside in (0, busy):
            with neighbours(beside):
                row = {"busy_processes": beside} | run_command(picture, steps, Path(folder) / "out.safetensors", code)
            row["not_fitting"] = max(0.0, 1 - fitting / row["cpu_seconds"])
            rows.append(row)
            say(f"beside {counted(beside, 'busy process', 'busy processes')}: {row['cpu_seconds']:.1f} CPU seconds in "
                f"{row['seconds']:.1f} s, {row['not_fitting']:.0%} not fitting")  # fmt: skip
    kind = str(compute_dtype("cpu")).removeprefix("torch.")
    return {"machine": machine(), "compute_dtype": kind, "steps": steps, "fitting_cpu_seconds": fitting, "runs": rows}


def steps_alone(picture: Path, steps: int) -> float:
    """Returns the CPU seconds of the fit loop with one thread and only the last record."""
    settings, before = preset("cpu", "image"), torch.get_num_threads()
    model = representation_for("mlora-asym", None, "image")
    problem, config = make_problem(picture, settings.resolution), FitSettings(steps=steps).config("mlora-asym", "image")
    torch.set_num_threads(1)
    try:
        begun = time.thread_time()
        for _ in run_fit(problem, model, model.initial(), config, settings.resolution, 0):
            pass
        return time.thread_time() - begun
    finally:
        torch.set_num_threads(before)


def run_command(picture: Path, steps: int, out: Path, code: Path | None) -> dict:
    """Runs `wsr fit` as a process and returns its seconds and its CPU seconds (user and system)."""
    # the command itself decides how threads wait
    environment = {key: value for key, value in os.environ.items() if key != "OMP_WAIT_POLICY"}
    command = [sys.executable, "-m", "wsr.cli", "fit", str(picture), "--steps", str(steps), "--out", str(out)]
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=code, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {"seconds": time.perf_counter() - begun, "cpu_seconds": used.ru_utime + used.ru_stime}


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Context with `count` processes that keep a core busy each."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()
