"""The engine's first imports may begin in several threads at once, as when a page opens."""

import subprocess
import sys
from pathlib import Path

ALONE = """
import sys
import wsr.fitting, wsr.zoo
print([name for name in sys.modules if name.startswith(("wsr.fitting.", "wsr.zoo."))])
"""
TOGETHER = """
import importlib, sys, threading
import wsr.data, wsr.modalities  # as in the app
sys.setswitchinterval(1e-5)
failed = []
def begin(name):
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed.append(repr(error))
names = ("wsr.zoo.build", "wsr.fitting.fit", "wsr.fitting.encoder_files", "wsr.zoo.zoo")
threads = [threading.Thread(target=begin, args=(name,)) for name in names]
for one in threads:
    one.start()
for one in threads:
    one.join()
print(failed)
"""


def printed(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=200
    )
    return done.stdout.strip() or done.stderr[-1000:]


def test_packages_whose_files_threads_begin_with_import_none_of_them():
    assert printed(ALONE) == "[]"


def test_threads_that_begin_with_different_files_do_not_wait_for_each_other():
    assert printed(TOGETHER) == "[]"
