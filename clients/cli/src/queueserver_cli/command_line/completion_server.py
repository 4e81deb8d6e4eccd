"""Uids and names that the server has, for the completion of words; within a second, or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import async_timeout
from queueserver_client import AsyncClient, QueueServerError

from queueserver_cli.command_line.command import Command

#: Seconds that a user who has pressed Tab waits at most.
_PATIENCE = 1.0
#: The newest of each kind; no user looks through more.
_MOST = 50


def ask(
    command: Command, parameter: str, address: str | None, *, user: str | None, user_group: str | None
) -> Mapping[str, str]:
    """What can stand for a parameter, each with a word about it. Raises ValueError for a wrong address or user."""
    client = AsyncClient(address, user=user, user_group=user_group, timeout=_PATIENCE)
    return asyncio.run(_ask(client, command.words, parameter))


async def _ask(client: AsyncClient, words: tuple[str, ...], parameter: str) -> Mapping[str, str]:
    try:
        async with client, async_timeout.timeout(_PATIENCE):
            return await _found(client, words, parameter)
    except (QueueServerError, asyncio.TimeoutError):
        return {}


async def _found(client: AsyncClient, words: tuple[str, ...], parameter: str) -> Mapping[str, str]:
    if parameter == "NAME":
        return await _names(client, words)
    if words[0] == "task":
        return {found.task.uid: found.task.name for found in (await client.tasks.list())[-_MOST:]}
    found: dict[str, str] = {}
    if words[0] in {"queue", "item", "logs"}:
        page = await client.queue.page(page_size=_MOST)
        if page.running_item is not None and words[0] != "queue":
            found[page.running_item.item.uid] = page.running_item.item.name
        found |= {item.uid: item.name for item in page.items}
    if words[0] in {"history", "item", "logs"}:
        entries = (await client.history.page(page_size=_MOST)).entries
        found |= {entry.item.uid: entry.item.name for entry in entries}
    return found


async def _names(client: AsyncClient, words: tuple[str, ...]) -> Mapping[str, str]:
    existing = words[0] == "existing"
    if "plans" in words:
        return {plan.name: plan.description for plan in (await client.inventory.plans(existing=existing)).plans}
    if "devices" in words:
        return {device.name: device.classname for device in (await client.inventory.devices(existing=existing)).devices}
    return {}
