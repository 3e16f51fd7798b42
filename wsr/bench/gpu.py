"""`sh tools/gpu_check.sh`: tests and measures wsr on a GPU within eight minutes, and writes one report.

Each stage is a process of its own with a deadline. If it fails or overruns, its results so far are kept and the next
stage begins. The report is written after each stage. Without a GPU it runs on the CPU at toy sizes and says so.
"""

import argparse
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from wsr.bench.gpu_stages import STAGES
from wsr.errors import WsrError
from wsr.paths import atomic_path

BUDGET = 440.0  # seconds of all stages; installing and importing have the rest of eight minutes
TOY_PATIENCE = 3  # a stage at toy sizes is for machines that do other things as well
REPORT, LOG = "gpu-report.json", "gpu-check.log"


class Check:
    """A run of all stages, which writes into a folder. start: how their processes are started, "fork" or "spawn". A
    fork has imported everything already, which saves some 10 s a stage on a slow processor."""

    def __init__(self, out: Path, device: str, toy: bool, budget: float = BUDGET, start: str = "fork"):
        self.out, self.device, self.toy, self.budget, self.start = out, device, toy, budget, start
        out.mkdir(parents=True, exist_ok=True)
        self.report = {
            "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "device": device,
            "toy": toy,
            "note": "Toy sizes on a CPU: no figure here says anything of a GPU." if toy else "",
            "seconds": 0.0,
            "stages": {},
        }

    def run(self, stages: list[str]) -> dict:
        """Runs the stages one after the other. Returns the report, which is also written to the folder."""
        begun = time.monotonic()
        for name in stages:
            left = self.budget - (time.monotonic() - begun)
            if left < 1:
                self.report["stages"][name] = {"status": "skipped", "error": "No time was left for it.", "result": {}}
            else:
                self._tell(f"{name} …")
                limit = STAGES[name].limit * (TOY_PATIENCE if self.toy else 1)
                self.report["stages"][name] = found = self._stage(name, min(limit, left))
                told = f"{name}: {found['status']} after {found['seconds']:.1f} s. {found['error'][-300:]}"
                self._tell(told.rstrip())
            self.report["seconds"] = round(time.monotonic() - begun, 1)
            write(self.out / REPORT, self.report)
        return self.report

    def _stage(self, name: str, limit: float) -> dict:
        """Runs one stage in a process. Returns its status, its seconds and its results so far."""
        partial = self.out / f"stage-{list(STAGES).index(name)}.json"
        partial.unlink(missing_ok=True)
        begun = time.monotonic()
        child = multiprocessing.get_context(self.start).Process(
            target=_child, args=(name, self.device, self.toy, partial, self.out / LOG)
        )
        child.start()
        child.join(limit)
        overran = child.is_alive()
        if overran:
            _end(child)
        found = json.loads(partial.read_text()) if partial.exists() else {"result": {}}
        partial.unlink(missing_ok=True)
        status, error = found.pop("status", "failed"), found.pop("error", "")
        if overran:
            status, error = "overran", f"It took longer than its {limit:.0f} s."
        elif status == "running":
            status, error = "failed", f"Its process ended with {child.exitcode}."
        seconds = round(time.monotonic() - begun, 1)
        return {"status": status, "seconds": seconds, "limit": limit, "error": error, **found}

    def _tell(self, text: str) -> None:
        print(f"gpu-check: {text}", flush=True)
        with open(self.out / LOG, "a") as log:
            log.write(f"--- {time.strftime('%H:%M:%S')} {text}\n")


def _child(name: str, device: str, toy: bool, partial: Path, log: Path) -> None:
    """Runs a stage in the child process, with its output in the log, and writes each result at once."""
    os.setsid()  # so that what it starts ends with it
    with open(log, "a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
    state = {"status": "running", "error": "", "result": {}}
    write(partial, state)
    try:
        for key, value in STAGES[name].run(device, toy):
            state["result"][key] = value
            write(partial, state)
        state["status"] = "ok"
    except BaseException as error:
        traceback.print_exc()
        state |= {"status": "failed", "error": f"{type(error).__name__}: {error}"[-2000:]}
    write(partial, state)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # nothing that this process inherited is its own to clean up


def _end(child: multiprocessing.Process) -> None:
    """Ends a process and the processes that it started."""
    for kind, patience in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
        try:
            os.killpg(child.pid, kind)
        except (ProcessLookupError, PermissionError):  # before it had a group of its own
            child.kill()
        child.join(patience)
        if not child.is_alive():
            return


def write(path: Path, report: dict) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(report, indent=1, default=str))


def chosen(device: str | None, has_gpu: Callable[[], bool]) -> str:
    """Returns the device to check, the GPU if there is one. WsrError for a requested device that does not exist."""
    if device not in (None, "cpu", "cuda"):
        raise WsrError(f"The device is 'cpu' or 'cuda', not {device!r}.")
    if device == "cuda" and not has_gpu():
        raise WsrError("PyTorch finds no CUDA GPU here: leave --device out to run at toy sizes on the CPU.")
    return device or ("cuda" if has_gpu() else "cpu")


def _has_gpu() -> bool:
    """Asks in another process whether there is a GPU, so that this process, which outlives all stages, holds no memory
    on it."""
    asked = subprocess.run([sys.executable, "-c", "import torch; print(torch.cuda.is_available())"],
                           capture_output=True, text=True, timeout=120)  # fmt: skip
    return asked.stdout.strip() == "True"


def way_to_start(device: str) -> str:
    """Returns how processes that use the device can be started: "fork", unless something that is imported here has
    initialised CUDA, which does not survive a fork."""
    if device != "cuda":
        return "fork"
    child = multiprocessing.get_context("fork").Process(target=_use_gpu)
    child.start()
    child.join(60)
    if child.is_alive():
        child.kill()
        child.join()
    return "fork" if child.exitcode == 0 else "spawn"


def _use_gpu() -> None:
    torch.ones(1, device="cuda").item()
    os._exit(0)


def main(arguments: list[str] | None = None) -> int:
    """Returns exit code 0 if every stage is ok, else 1; 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="sh tools/gpu_check.sh", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "gpu-report")), help="the folder")
    parser.add_argument("--toy", action="store_true", help="toy sizes: whether it runs, not how fast")
    parser.add_argument("--device", help="cpu or cuda; by default CUDA where there is one")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds of all stages together")
    parser.add_argument("--stages", nargs="+", choices=list(STAGES), default=list(STAGES), help="only these")
    asked = parser.parse_args(arguments)
    try:
        device = chosen(asked.device, _has_gpu)
    except WsrError as error:
        print(f"gpu-check: {error}", file=sys.stderr)
        return 2
    toy = asked.toy or device == "cpu"
    import torch._dynamo  # noqa: F401  (seconds, once for all stages; every optimiser imports it)

    if device == "cpu":
        print("gpu-check: on the CPU, at toy sizes: it is checked whether all runs, not how fast.", flush=True)
    report = Check(asked.out, device, toy, asked.budget, way_to_start(device)).run(asked.stages)
    print(f"gpu-check: {report['seconds']:.0f} s. Written: {asked.out / REPORT} and {asked.out / LOG}.", flush=True)
    return 0 if all(stage["status"] == "ok" for stage in report["stages"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
