"""Which of several processes that do one job speaks and writes for all of them."""

import os
import sys


def is_first_process() -> bool:
    """Whether this process reports progress and writes results: of processes that train together, as `accelerate
    launch` starts them, only the first does."""
    torch = sys.modules.get("torch")  # which few commands need, and which takes seconds to load
    if torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank() == 0
    return int(os.environ.get("RANK") or 0) == 0
