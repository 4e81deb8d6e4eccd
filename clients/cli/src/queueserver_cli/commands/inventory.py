"""`qserver allowed …` and `qserver existing …`: people see names and the main facts about one, programs everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from queueserver_client import DeviceDescription, PlanDescription

from queueserver_cli.command_line.command import CommandBody, nothing_more
from queueserver_cli.outcome import Answer
from queueserver_cli.session import Session
from queueserver_cli.words.description_words import device_words, plan_words
from queueserver_cli.words.legacy_json import plain

_FOLDED = "{...}"


def allowed_plans(words: Sequence[str]) -> CommandBody:
    """`allowed plans [NAME]`."""
    return _plans(words, existing=False)


def existing_plans(words: Sequence[str]) -> CommandBody:
    """`existing plans [NAME]`."""
    return _plans(words, existing=True)


def allowed_devices(words: Sequence[str]) -> CommandBody:
    """`allowed devices [NAME]`."""
    return _devices(words, existing=False)


def existing_devices(words: Sequence[str]) -> CommandBody:
    """`existing devices [NAME]`."""
    return _devices(words, existing=True)


def _plans(words: Sequence[str], *, existing: bool) -> CommandBody:
    nothing_more(words[1:])
    key = "plans_existing" if existing else "plans_allowed"

    async def one(session: Session) -> Answer:
        plan = await session.client.inventory.plan(words[0], existing=existing)
        return _answer_about_one(key, words[0], plan_words(plan), plan)

    async def all_of_them(session: Session) -> Answer:
        found = await session.client.inventory.plans(existing=existing)
        return _answer(key, {plan.name: plain(plan) for plan in found.plans}, found.uid)

    return one if words else all_of_them


def _devices(words: Sequence[str], *, existing: bool) -> CommandBody:
    nothing_more(words[1:])
    key = "devices_existing" if existing else "devices_allowed"

    async def one(session: Session) -> Answer:
        device = await session.client.inventory.device(words[0], existing=existing)
        return _answer_about_one(key, words[0], device_words(device), device)

    async def all_of_them(session: Session) -> Answer:
        found = await session.client.inventory.devices(existing=existing)
        return _answer(key, {device.name: plain(device) for device in found.devices}, found.uid)

    return one if words else all_of_them


async def allowed_functions(session: Session) -> Answer:
    """`allowed functions`."""
    return await _functions(session, existing=False)


async def existing_functions(session: Session) -> Answer:
    """`existing functions`."""
    return await _functions(session, existing=True)


async def _functions(session: Session, *, existing: bool) -> Answer:
    key = "functions_existing" if existing else "functions_allowed"
    found = await session.client.inventory.functions(existing=existing)
    body = {"success": True, "msg": "", key: {each.name: each.signature for each in found}}
    return Answer(body, {key: {each.name: plain(each) for each in found}})


def _answer(key: str, found: dict[str, object], uid: str) -> Answer:
    body = {"success": True, "msg": "", key: dict.fromkeys(found, _FOLDED), f"{key}_uid": uid}
    return Answer(body, {key: found})


def _answer_about_one(
    key: str, name: str, words: Mapping[str, object], found: PlanDescription | DeviceDescription
) -> Answer:
    return Answer({"success": True, "msg": "", key: {name: words}}, {key: {name: plain(found)}})
