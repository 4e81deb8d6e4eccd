"""What does not change about a Manager while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from queueserver_process.process_facts import ProcessFacts


@dataclass(frozen=True, slots=True)
class ServerLimit:
    """A bound in force."""

    name: str
    #: 0 where that is not bounded.
    number: int = 0
    size: int = 0
    #: Seconds.
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class Instance:
    """Facts about one Manager. Nothing in it is secret."""

    process: ProcessFacts
    contract_version: str
    #: Empty for a Manager that was started by itself.
    data_directory: str
    #: Without a password.
    redis_address: str
    settings: Mapping[str, str]
    limits: tuple[ServerLimit, ...]
    #: Where it serves clients, and where they are told to find it; known once it listens.
    address: str = ""
    advertised: str = ""
