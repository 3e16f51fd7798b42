"""Makes `python -m wsr` the same as `wsr`."""

import sys

from wsr.cli import main

sys.exit(main())
