"""Under which name a program acts that says nothing about it."""

from __future__ import annotations

import getpass

import pytest
from queueserver.manager.v1 import status_service_pb2
from queueserver_client import AsyncClient, Client

from tests.integration.client.scripted_manager import ScriptedManager


async def identity_sent(manager: ScriptedManager, **named: str) -> dict[str, str | bytes]:
    """What the Manager is told about a caller."""
    manager.answers["GetStatus"] = status_service_pb2.GetStatusResponse()
    async with AsyncClient(manager.address, **named) as client:  # type: ignore[arg-type] # only names are given
        await client.status()
    return {key: value for key, value in manager.calls[-1][2].items() if key.startswith("qserver-")}


async def test_a_client_acts_under_the_login_name_and_leaves_the_group_to_the_server(
    manager: ScriptedManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "jane")
    assert await identity_sent(manager) == {"qserver-user": "jane"}
    assert await identity_sent(manager, user="jim") == {"qserver-user": "jim"}
    assert (await identity_sent(manager, user_group="primary"))["qserver-user-group"] == "primary"


@pytest.mark.parametrize("failure", [KeyError("uid not found"), OSError("no username set"), ImportError("pwd")])
async def test_an_account_without_a_name_names_nobody(
    manager: ScriptedManager, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail() -> str:
        raise failure

    monkeypatch.setattr(getpass, "getuser", fail)
    assert await identity_sent(manager) == {}


@pytest.mark.parametrize("name", ["", "J\udcfcrgen", "jane\n"])
async def test_a_login_name_that_is_no_text_is_left_out(
    manager: ScriptedManager, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: name)
    assert await identity_sent(manager) == {}
    Client(manager.address).close()
