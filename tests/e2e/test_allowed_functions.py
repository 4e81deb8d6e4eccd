"""Functions: what there is to call, what a user group may call, and what a misspelt name may have meant."""

from __future__ import annotations

import json

import pytest
from queueserver_client import AsyncClient, FunctionNotAllowed, NotFound

from tests.e2e.conftest import Shell
from tests.harness.stack import Stack
from tests.harness.wait import bounded


def rules(*allowed: str) -> dict[str, object]:
    """Permissions in which guests may call some functions."""
    everything = {key: [None] for key in ("allowed_plans", "allowed_devices", "allowed_functions")}
    groups = {"root": everything, "admin": everything, "guests": {"allowed_functions": list(allowed)}}
    return {"user_groups": groups}


async def names(client: AsyncClient, **which: object) -> list[str]:
    return [function.name for function in await client.inventory.functions(**which)]  # type: ignore[arg-type] # as given


async def test_functions_are_listed_by_the_permissions_of_a_group(
    shared_client: AsyncClient, shared_stack: Stack
) -> None:
    before = (await shared_client.permissions.get()).user_group_permissions
    await shared_client.permissions.set(rules("add", ":^f"))
    async with AsyncClient(shared_stack.address, user_group="guests") as guest:
        assert await names(guest) == ["add", "fail"]
        with pytest.raises(FunctionNotAllowed, match="did you mean 'add'") as refused:
            await guest.tasks.execute_function("ad")
        assert str(refused.value).count("may not call") == 1
        with pytest.raises(FunctionNotAllowed, match="list the functions that it may call"):
            await guest.tasks.execute_function("give", "nan")
    assert {"add", "die", "fail", "give", "pass_gate"} <= set(await names(shared_client, existing=True))
    assert await names(shared_client, user_group="guests") == ["add", "fail"]
    with pytest.raises(NotFound):
        await names(shared_client, user_group="nobody")
    await shared_client.permissions.set(before)


async def test_a_script_brings_a_function_and_takes_it_away(shared_client: AsyncClient) -> None:
    script = 'def fresh(x: int = 1):\n    """Do it anew."""\n'
    await bounded((await shared_client.tasks.upload_script(script)).result())
    (fresh,) = [each for each in await shared_client.inventory.functions() if each.name == "fresh"]
    assert (fresh.signature, fresh.description) == ("(x: int = 1)", "Do it anew.")
    await bounded((await shared_client.tasks.upload_script("del fresh")).result())
    assert "fresh" not in await names(shared_client)


async def test_qserver_lists_functions(shared_client: AsyncClient, qserver: Shell) -> None:
    del shared_client
    assert b"'add': '(first: Any, second: Any = 1) -> Any'" in qserver("allowed", "functions").stdout
    told = json.loads(qserver("--json", "existing", "functions").stdout)["functions_existing"]["add"]
    assert told == {
        "name": "add",
        "signature": "(first: Any, second: Any = 1) -> Any",
        "description": "Add two things.",
    }
