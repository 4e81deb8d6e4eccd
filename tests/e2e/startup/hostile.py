"""Startup code of the end-to-end tests: plans that end in ways the RunEngine does not tell, or spoil it."""

import asyncio
from collections.abc import Generator, Mapping
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp

Messages = Generator[Any, Any, Any]


def store_nowhere(name: str, document: Mapping[str, Any]) -> None:
    """Take documents, as a program that stores them does."""


def subscribe_a_store() -> Messages:
    """Subscribe for documents until the environment is closed."""
    globals()["RE"].subscribe(store_nowhere)
    yield from bps.null()


@bpp.run_decorator()
def unsubscribe_everything() -> Messages:
    """Take all subscriptions away in the middle of a run."""
    globals()["RE"].dispatcher.unsubscribe_all()
    yield from bps.checkpoint()


@bpp.run_decorator()
def time_out() -> Messages:
    """End by an exception that the RunEngine takes for an abort, and tells to nobody."""
    yield from bps.null()
    raise asyncio.CancelledError("the detector did not answer within 3 s")
