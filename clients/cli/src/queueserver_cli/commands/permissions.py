"""`qserver permissions …`: who may use what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.outcome import DONE, Answer, WrongCommand
from queueserver_cli.session import Session


async def get(session: Session) -> Answer:
    """`permissions get`."""
    found = await session.client.permissions.get()
    body = {"success": True, "msg": "", "user_group_permissions": found.user_group_permissions}
    return Answer(body, {"revision": found.revision})


def set_(words: Sequence[str]) -> CommandBody:
    """`permissions set FILE`."""
    if not words:
        raise WrongCommand("FILE is missing.")
    nothing_more(words[1:])
    permissions = _read(words[0])

    async def action(session: Session) -> Answer:
        revision = await session.client.permissions.set(permissions, validate_only=session.validate_only)
        return Answer(DONE.body, {"revision": revision})

    return action


def reload(words: Sequence[str]) -> CommandBody:
    """`permissions reload [lists]`."""
    if list(words) not in ([], ["lists"]):
        raise WrongCommand(f"{words[-1]!r} is not allowed here: only lists is.")
    lists = bool(words)

    async def action(session: Session) -> Answer:
        return Answer(DONE.body, {"revision": await session.client.permissions.reload(restore_plans_devices=lists)})

    return action


def _read(name: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(Path(name).read_bytes())
    except OSError as error:
        raise WrongCommand(f"{name} can't be read: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise WrongCommand(f"{name} is not a YAML file: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise WrongCommand(f"{name} must have the key user_groups, with a group below it by name.")
    return content
