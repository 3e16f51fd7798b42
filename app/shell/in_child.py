"""Imported in children of `app.shell.workers` only: what they keep in memory is a small part of what the page keeps, of
which there is one, and several of them."""

import os

from wsr.memory import VARIABLE, allowance

MEGABYTES = 128

os.environ[VARIABLE] = str(min(MEGABYTES, allowance() / 2**20))
