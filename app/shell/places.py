"""Limits how many jobs one visitor may have waiting or running in the queue, so that others find a place.

gradio's queue has one limit for all visitors together: a single visitor could fill it, and all others would be told
that it is full.
"""

import os
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.shell import compute, gradio_patches

JOBS, LOOKS = 3, 24  # of one visitor; opening a tab asks for up to seven things at once
# Of all visitors with one network address: a class, or somebody who pretends to be many.
JOBS_OF_ADDRESS, SHARE_OF_ADDRESS = 24, 0.75
MANY = "You have {count} jobs waiting or running here already. Let one of them end, or stop it, and try again."
CROWDED = "Too much is waiting here for visitors from your network. Please try again in a minute."


@dataclass(frozen=True)
class _Asked:
    session: str
    address: str
    job: bool  # rather than a look


def limit(page: gr.Blocks) -> gr.Blocks:
    """Limits the places that each visitor may take in the queue of a page. Returns the page."""
    return gradio_patches.refuse_first(page, _refusal, _of_program)


def _refusal(queue: Any, body: Any, request: Any) -> str:
    """The sentence for a visitor who has no place left; "" where there is one."""
    function = queue.blocks.fns.get(body.fn_index)
    mine = _Asked(str(body.session_hash), _address(request), _is_job(function))
    waiting = [_asked(event) for one in queue.event_queue_per_concurrency_id.values() for event in one.queue]
    running = [_asked(event) for job in queue.active_jobs if job for event in job if event.alive]
    own = [one for one in waiting + running if (one.session, one.job) == (mine.session, mine.job)]
    if len(own) >= (JOBS if mine.job else LOOKS):
        return MANY.format(count=len(own))
    near = [one for one in waiting if one.address == mine.address]
    crowded = queue.max_size is not None and len(near) >= SHARE_OF_ADDRESS * queue.max_size
    if crowded or (mine.job and sum(one.job for one in near) >= JOBS_OF_ADDRESS):
        return CROWDED
    return ""


def _of_program(queue: Any, body: Any) -> bool:
    """Whether an event is for one of the endpoints that programs call, rather than for a listener of the page."""
    return getattr(queue.blocks.fns.get(body.fn_index), "api_visibility", "") == "public"


def _asked(event: Any) -> _Asked:
    return _Asked(str(event.session_hash), _address(event.request), _is_job(event.fn))


def _is_job(function: Any) -> bool:
    jobs = [queue["concurrency_id"] for queue in (compute.COMPUTE, compute.PREPARE, compute.BRING)]
    return getattr(function, "concurrency_id", None) in jobs


def _address(request: Any) -> str:
    """Returns the network address of a request. On a Space a proxy adds it as the last entry of a header; earlier
    entries come from the visitor and can be forged."""
    if os.environ.get("SPACE_ID"):
        hops = ",".join(request.headers.getlist("x-forwarded-for")) if hasattr(request, "headers") else ""
        if last := hops.rpartition(",")[2].strip():
            return last
    return getattr(getattr(request, "client", None), "host", None) or ""
