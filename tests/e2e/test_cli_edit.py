"""`qserver queue edit`: in an editor, at a terminal, beside other clients; nothing that was typed is lost."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from queueserver_client import AsyncClient, Item, ItemHandle, ManagerState, Plan

from tests.e2e.conftest import STARTUP, Shell
from tests.harness.gate import Gate, gate_in
from tests.harness.progress import begun, paused, until, until_state
from tests.harness.services import COMMANDS
from tests.harness.stack import Stack, running_stack
from tests.harness.terminal_window import CTRL_C, TerminalWindow, terminal_window
from tests.harness.wait import bounded

WAYS = {"args": [["det1", 1, 2.5, 1e-7, True, None]], "kwargs": {"text": "on", "date": "2026-01-01", "光": "1e5"}}


class Desk:
    """A person with an editor, which is a script."""

    def __init__(self, stack: Stack, directory: Path) -> None:
        self._stack = stack
        self.directory = directory

    def editor(self, *commands: str) -> str:
        """An editor that does this to the file `$1`."""
        script = self.directory / "editor"
        script.write_text("\n".join(["#!/bin/sh", *commands]) + "\n")
        script.chmod(0o755)
        return str(script)

    @contextlib.contextmanager
    def edits(self, uid: str, editor: str, *options: str) -> Iterator[TerminalWindow]:
        """Type `queue edit` at a terminal."""
        command = (str(COMMANDS / "qserver"), *options, "queue", "edit", uid)
        places = {"QSERVER_ADDRESS": self._stack.address, "TMPDIR": str(self.directory)}
        with terminal_window(*command, columns=160, lines=60, VISUAL="", EDITOR=editor, **places) as window:
            yield window

    def kept(self) -> list[Path]:
        """Files of texts that were not sent."""
        return sorted(self.directory.glob("qserver-*"))


@pytest.fixture
def desk(shared_stack: Stack, tmp_path: Path) -> Desk:
    return Desk(shared_stack, tmp_path)


@pytest.fixture
def held(short_path: Path) -> Iterator[Gate]:
    """A gate at which the editor waits."""
    with gate_in(short_path, "held") as made:
        yield made


async def added(client: AsyncClient) -> ItemHandle:
    return await client.queue.add(Plan("one_run", "before"))


async def test_what_was_changed_in_the_editor_is_what_stands_in_the_queue(
    shared_client: AsyncClient, desk: Desk
) -> None:
    handle = await added(shared_client)
    with desk.edits(handle.uid[:8], desk.editor("sed -i s/before/after/ $1")) as window:
        assert window.wait() == 0, window.text()
        assert "'args': ['after']" in window.text()
    item = (await handle.status()).item
    assert (item.uid, item.args) == (handle.uid, ["after"])
    assert desk.kept() == []


async def test_values_of_all_kinds_come_back_as_they_were(shared_client: AsyncClient, desk: Desk) -> None:
    plan = Item("take_anything", args=WAYS["args"], kwargs=WAYS["kwargs"], meta={"x": {}}, properties={"y": []})
    handle = await shared_client.queue.add(plan)
    with desk.edits(handle.uid, desk.editor("echo '  added: 1e-3' >> $1"), "--json") as window:
        # What is added stands below the last key, the properties.
        assert window.wait() == 0, window.text()
    item = (await handle.status()).item
    assert (item.args, item.kwargs, item.meta) == (plan.args, plan.kwargs, plan.meta)
    assert type(item.args[0][4]) is bool  # type: ignore[index]


@pytest.mark.parametrize(
    ("command", "told", "code"),
    [
        ("true", "The plan is as it was: nothing was sent", 0),
        ("cp $1 $1.new; mv $1.new $1", "The plan is as it was: nothing was sent", 0),
        (": > $1", "The text is empty: nothing was sent", 0),
        ("sed -i '/^[^#]/d' $1", "The text is empty: nothing was sent", 0),
        ("exit 3", "ended with code 3. Nothing was changed.", 2),
    ],
)
async def test_an_editor_that_changes_nothing_sends_nothing(
    shared_client: AsyncClient, desk: Desk, command: str, told: str, code: int
) -> None:
    handle = await added(shared_client)
    before = await handle.status()
    with desk.edits(handle.uid, desk.editor(command)) as window:
        assert window.wait() == code
        assert told in re.sub(r"'\s+'", "", window.text())
    assert await handle.status() == before
    assert desk.kept() == []


async def test_a_refused_text_can_be_edited_again_or_is_kept(shared_client: AsyncClient, desk: Desk) -> None:
    handle = await added(shared_client)
    script = desk.editor(
        *("if grep -q one_run $1; then sed -i s/one_run/no_such_plan/ $1",),
        *("elif grep -q no_such_plan $1; then sed -i 's/no_such_plan/nothing: [/' $1", "fi"),
    )
    with desk.edits(handle.uid, script) as window:
        assert "no plan 'no_such_plan'" in window.wait_for("Edit it again?")
        window.type(b"\r")
        window.wait_for("The text is not YAML in line")
        window.wait_for(lambda text: text.count("Edit it again?") == 2)
        window.type(b"n\r")
        assert window.wait() == 2
        (kept,) = desk.kept()
        assert str(kept) in re.sub(r"'\s+'", "", window.text())
    assert "nothing: [" in kept.read_text()
    assert (await handle.status()).item.args == ["before"]


async def test_what_others_do_to_the_queue_meanwhile_does_not_matter(
    shared_client: AsyncClient, desk: Desk, gate: Gate, held: Gate
) -> None:
    handle = await added(shared_client)
    editor = desk.editor(f"printf . > {gate.path}", f"head -c 1 {held.path}", "sed -i s/before/after/ $1")
    with desk.edits(handle.uid, editor) as window:
        gate.wait_until_told()
        await shared_client.queue.add(Plan("nothing"), position="front")
        held.open()
        assert window.wait() == 0, window.text()
    assert (await handle.status()).item.args == ["after"]


async def test_a_plan_that_another_has_changed_is_not_overwritten(
    shared_client: AsyncClient, desk: Desk, gate: Gate, held: Gate
) -> None:
    handle = await added(shared_client)
    editor = desk.editor(f"printf . > {gate.path}", f"head -c 1 {held.path}", "sed -i s/before/mine/ $1")
    with desk.edits(handle.uid, editor) as window:
        gate.wait_until_told()
        await shared_client.queue.update(handle.uid, Plan("one_run", "theirs"))
        held.open()
        screen = window.wait_for("Edit it again?")
        assert "has changed the item meanwhile" in screen
        assert "theirs" in screen
        window.type(CTRL_C)
        assert window.wait() == 2
    assert (await handle.status()).item.args == ["theirs"]
    (kept,) = desk.kept()
    assert "mine" in kept.read_text()


async def test_an_item_that_is_executed_meanwhile_is_told_and_the_text_kept(
    shared_client: AsyncClient, desk: Desk, gate: Gate, held: Gate
) -> None:
    handle = await added(shared_client)
    editor = desk.editor(f"printf . > {gate.path}", f"head -c 1 {held.path}", "sed -i s/before/mine/ $1")
    with desk.edits(handle.uid, editor) as window:
        gate.wait_until_told()
        await shared_client.queue.start()
        await bounded(handle.result())
        held.open()
        window.wait_for("is finished by now, so it can't be changed")
        window.type(b"n\r")
        assert window.wait() == 2
    assert len(desk.kept()) == 1


async def test_a_server_that_goes_away_meanwhile_takes_nothing_away(desk: Desk, gate: Gate, held: Gate) -> None:
    with running_stack(startup=STARTUP) as stack:
        other = Desk(stack, desk.directory)
        async with AsyncClient(stack.address) as client:
            await client.environment.open()
            handle = await added(client)
        editor = desk.editor(f"printf . > {gate.path}", f"head -c 1 {held.path}", "sed -i s/before/mine/ $1")
        with other.edits(handle.uid, editor, "--timeout", "2") as window:
            gate.wait_until_told()
            stack.kill_all()
            held.open()
            window.wait_for("Edit it again?")
            window.type(b"n\r")
            assert window.wait() == 3
            (kept,) = desk.kept()
            shown = re.sub(r"'\s+'", "", window.text())
    assert (str(kept) in shown, "Nothing was changed" in shown) == (True, False)
    assert "mine" in kept.read_text()


async def test_an_item_that_would_fail_is_put_right_as_qserver_why_says(
    shared_client: AsyncClient, desk: Desk, qserver: Shell
) -> None:
    before = (await shared_client.permissions.get()).user_group_permissions
    other = {"allowed_plans": ["one_run"], "allowed_devices": [None], "allowed_functions": []}
    handle = await shared_client.queue.add(Plan("nothing"))
    try:
        await shared_client.permissions.set({"user_groups": {**before["user_groups"], "admin": other}})
        await until(shared_client, lambda status: status.invalid_items == 1)
        assert "qserver queue edit front" in qserver("why").stdout.decode()
        editor = desk.editor("grep -q 'As things are it would fail: item.name' $1 && sed -i s/nothing/one_run/ $1")
        with desk.edits("front", editor) as window:
            assert window.wait() == 0, window.text()
        assert qserver("queue", "start", "--wait").returncode == 0
        assert (await bounded(handle.result())).item.name == "one_run"
    finally:
        await shared_client.permissions.set(before)


async def test_a_held_item_stays_held_unless_it_is_changed(shared_client: AsyncClient, desk: Desk, gate: Gate) -> None:
    await shared_client.queue.set_mode(interrupted="hold")
    (handle,) = await paused(shared_client, Plan("stepping", gate.path))
    await shared_client.run_engine.abort()
    uid = (await bounded(handle.result())).requeued_as_uid
    await until_state(shared_client, ManagerState.IDLE)
    with desk.edits("front", desk.editor("true")) as window:
        assert (window.wait(), "It stays held" in re.sub(r"'\s+'", "", window.text())) == (0, True)
    assert (await shared_client.queue.get(uid)).item.held
    with desk.edits("front", desk.editor("sed -i s/stepping/last_stretch/ $1")) as window:
        assert window.wait() == 0, window.text()
    item = (await shared_client.queue.get(uid)).item
    assert (item.name, item.held) == ("last_stretch", False)


async def test_ctrl_c_in_the_editor_is_the_editors(shared_client: AsyncClient, desk: Desk, gate: Gate) -> None:
    handle = await added(shared_client)
    editor = desk.editor(f"trap 'sed -i s/before/after/ $1; exit 0' INT; printf . > {gate.path}; sleep 60 & wait")
    with desk.edits(handle.uid, editor) as window:
        gate.wait_until_told()
        window.type(CTRL_C)
        assert window.wait() == 0, window.text()
    assert (await handle.status()).item.args == ["after"]


async def test_without_a_terminal_or_an_editor_it_is_said_what_to_do(
    shared_client: AsyncClient, desk: Desk, qserver: Shell
) -> None:
    handle = await added(shared_client)
    done = qserver("queue", "edit", handle.uid)
    assert (done.returncode, b"qserver queue update plan UID PLAN" in done.stderr) == (1, True)
    with desk.edits(handle.uid, "no-such-editor --wait") as window:
        assert window.wait() == 2
        assert "can't be started" in window.text()
    with desk.edits("deadbeef", "true") as window:
        assert (window.wait(), "There is no item 'deadbeef'" in window.text()) == (2, True)


async def test_the_running_item_can_not_be_edited(shared_client: AsyncClient, desk: Desk, gate: Gate) -> None:
    (handle,) = await begun(shared_client, Plan("gated_run", gate.path))
    with desk.edits(handle.uid, "true") as window:
        assert window.wait() == 2
        assert "only what waits in the queue can be edited" in re.sub(r"'\s+'", "", window.text())
    gate.open()
    await bounded(handle.result())
