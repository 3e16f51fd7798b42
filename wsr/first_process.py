"""Several processes that do one job: which of them speaks and writes for all, and which GPU each takes."""

import os
import sys


def is_first_process() -> bool:
    """Whether this process reports progress and writes results: of processes that train together, as `accelerate
    launch` starts them, only the first does."""
    torch = sys.modules.get("torch")  # which few commands need, and which takes seconds to load
    if torch is not None and torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank() == 0
    return int(os.environ.get("RANK") or 0) == 0


def of_this_process(device: str) -> str:
    """Returns the GPU that this process takes if "cuda" is asked for: of processes of a machine that train together,
    each has one of its own. Other devices are returned as they are."""
    own = os.environ.get("LOCAL_RANK")
    return f"cuda:{own}" if device == "cuda" and own else device
