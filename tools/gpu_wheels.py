"""What `gpu_check.sh` needs beside PyTorch: says what is missing, and installs that from a folder of wheels.

Uses the standard library only. PyTorch and what it brings are never installed: packages go without their dependencies
(`--no-deps`), which the list names in full, into a folder of their own.
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
    """Name and lowest version ("" for any) of each package of the list."""
    lines = (line.partition("#")[0].strip() for line in LIST.read_text().splitlines())
    return [(name, low) for name, _, low in (line.partition(">=") for line in lines if line)]


def missing() -> list[str]:
    """Those of the list that are not installed, or too old, as requirements."""
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
    """The folder of wheels: $WHEELS, or one of `FOLDERS`."""
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
    """Installs what is missing into a folder. Exit code 1 where there are no wheels for it."""
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
    if done.returncode:  # one that is not there must not keep the others out
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
        install(asked.into)  # what is still missing is seen where it is used: the check goes as far as it can
    sys.exit(0)
