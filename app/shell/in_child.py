"""Imported only in the child processes of `app.shell.workers`: gives each a small allowance of cache memory, because
there are several of them."""

import os

from wsr.memory import VARIABLE, allowance

MEGABYTES = 128

os.environ[VARIABLE] = str(min(MEGABYTES, allowance() / 2**20))
