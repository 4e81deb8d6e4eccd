"""The user of Redis that docs/how-to/redis.md tells people to create: its line there is what the tests run."""

from __future__ import annotations

import re

import redis

from tests.harness.services import REPOSITORY

PAGE = REPOSITORY / "docs" / "how-to" / "redis.md"
USER, PASSWORD = "queueserver", "a secret"


def rights() -> list[str]:
    """Commands and keys of the user, from the page."""
    line = re.search(rf"^user {USER} on >\S+ (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert line is not None, f"{PAGE} has no line for the user"
    return line.group(1).split()


def create_user(server: redis.Redis) -> None:
    """Create it as the page says."""
    server.execute_command("ACL", "SETUSER", USER, "reset", "on", f">{PASSWORD}", *rights())  # type: ignore[no-untyped-call] # it has no types
