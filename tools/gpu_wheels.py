"""Finds out which packages `gpu_check.sh` needs beside PyTorch and lacks, and installs them from a folder of wheels.

This uses the standard library alone. PyTorch and its own dependencies are never installed: every package is installed
without dependencies (`--no-deps`) into a folder of its own, and gpu_wheels.txt lists all dependencies.
"""

import argparse
import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIST = HERE / "gpu_wheels.txt"
FOLDERS = (HERE / "wheels", Path("wheels"))


def wanted() -> list[tuple[str, str]]:
    """The name and the lowest version ("" for any) of each listed package."""
    lines = (line.partition("#")[0].strip() for line in LIST.read_text().splitlines())
    return [(name, low) for name, _, low in (line.partition(">=") for line in lines if line)]


def missing() -> list[str]:
    """The listed packages that are not installed or too old, as requirements."""
    found = []
    for name, low in wanted():
        try:
            enough = _numbers(version(name)) >= _numbers(low)
        except PackageNotFoundError:
            enough = False
        if not enough:
            found.append(f"{name}>={low}" if low else name)
    return found


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def folder() -> Path | None:
    """The folder of wheels: $WHEELS, or the first of `FOLDERS` that is there."""
    given = os.environ.get("WHEELS")
    return next((one for one in ([Path(given)] if given else FOLDERS) if one.is_dir()), None)


def listed() -> None:
    print("# On a machine with internet (for Python 3.12 on Linux, x86-64):")
    print("pip download --only-binary=:all: --no-deps --python-version 3.12 --implementation cp \\")
    print("    --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 --platform any \\")
    print(f"    -r {LIST.relative_to(HERE.parent)} -d wheels")
    print("# Then bring the folder along as wheels, or name it in $WHEELS. The packages:")
    for name, low in wanted():
        print(f"{name}>={low}" if low else name)


def install(into: Path) -> int:
    """Installs what is missing into a folder. Returns 0, or 1 if something is still missing."""
    sys.path.append(str(into))
    needed = missing()
    if not needed:
        return 0
    wheels = folder()
    print(f"gpu-check: missing: {', '.join(needed)}")
    if wheels is None:
        print("gpu-check: there is no folder of wheels. `sh tools/gpu_check.sh --list` says which to bring.")
        return 1
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    done = subprocess.run([*pip, "--find-links", str(wheels), "--upgrade", "--target", str(into), *needed])
    if done.returncode:  # pip installs none if one is missing, so try them one by one
        for one in needed:
            subprocess.run([*pip, "--find-links", str(wheels), "--upgrade", "--target", str(into), one])
    left = missing()
    print(f"gpu-check: installed into {into}, still missing: {', '.join(left) or 'nothing'}.")
    return 1 if left else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="the wheels to bring")
    parser.add_argument("--into", type=Path, help="install what is missing into this folder")
    asked = parser.parse_args()
    if asked.list:
        listed()
    elif asked.into:
        install(asked.into)  # the check goes on without what is still missing, as far as it can
    sys.exit(0)
