"""Files of scripts and permissions as editors write them: byte order marks and encodings."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import json_format
from queueserver.common.v1 import permissions_pb2, task_pb2
from queueserver.manager.v1 import permission_service_pb2, task_service_pb2

from tests.integration.cli.conftest import Qserver
from tests.integration.client.scripted_manager import ScriptedManager

TEXT = "owner = 'Žofie'\n"


@pytest.fixture
def ready(manager: ScriptedManager) -> ScriptedManager:
    task = task_pb2.SubmittedTask(task_uid="t", kind=task_pb2.TASK_KIND_SCRIPT)
    manager.answers["UploadScript"] = task_service_pb2.UploadScriptResponse(task=task)
    manager.answers["SetPermissions"] = permission_service_pb2.SetPermissionsResponse(revision=1)
    return manager


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (TEXT.encode(), TEXT),
        (TEXT.encode("utf-8-sig"), TEXT),
        (b"# -*- coding: iso8859-2 -*-\n" + TEXT.encode("iso8859-2"), "# -*- coding: iso8859-2 -*-\n" + TEXT),
        (TEXT.replace("\n", "\r\n").encode("utf-8-sig"), TEXT),
    ],
)
async def test_a_script_is_read_as_python_reads_it_and_sent_with_its_name(
    ready: ScriptedManager, qserver: Qserver, tmp_path: Path, data: bytes, text: str
) -> None:
    script = tmp_path / "my plans é.py"
    script.write_bytes(data)
    assert (await qserver("script", "upload", str(script))).code == 0
    (sent,) = ready.requests("UploadScript")
    assert (sent.script.text, sent.script.name) == (text, "my plans é.py")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (TEXT.encode("utf-16"), "is UTF-16, which Python does not read: save it as UTF-8."),
        (TEXT.encode("iso8859-2"), "is not UTF-8 text, and its first lines name no other encoding that fits"),
        (b"# coding: klingon\n", "is not UTF-8 text, and its first lines name no other encoding that fits"),
        (
            b"# coding: ascii\n" + TEXT.encode(),
            "is not UTF-8 text, and its first lines name no other encoding that fits",
        ),
    ],
)
async def test_a_script_that_python_can_not_read_is_refused_with_what_to_do(
    ready: ScriptedManager, qserver: Qserver, tmp_path: Path, data: bytes, sentence: str
) -> None:
    script = tmp_path / "script.py"
    script.write_bytes(data)
    ended = await qserver("script", "upload", str(script))
    assert ended.code == 1
    assert sentence in ended.err
    assert not ready.calls


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_permissions_are_read_with_and_without_byte_order_mark(
    ready: ScriptedManager, qserver: Qserver, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "permissions.yaml"
    file.write_text("user_groups:\n  root: {}\n  Gäste: {}\n", encoding=encoding)
    assert (await qserver("permissions", "set", str(file))).code == 0
    (sent,) = ready.requests("SetPermissions")
    assert isinstance(sent.permissions, permissions_pb2.UserGroupPermissions)
    assert set(json_format.MessageToDict(sent.permissions)["userGroups"]) == {"root", "Gäste"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            "user_groups:\n  root: {allowed_plan: [count]}\n",
            "has the unknown key 'allowed_plan': did you mean 'allowed_plans'",
        ),
        (
            "user_groups:\n  root: {colour: [red]}\n",
            "has the unknown key 'colour': there are allowed_plans, allowed_devices",
        ),
        ("user_group:\n  root: {}\n", "has the unknown key 'user_group': did you mean 'user_groups'?"),
    ],
)
async def test_a_misspelt_key_of_permissions_is_named_with_what_it_may_mean(
    ready: ScriptedManager, qserver: Qserver, tmp_path: Path, content: str, sentence: str
) -> None:
    file = tmp_path / "permissions.yaml"
    file.write_text(content)
    ended = await qserver("permissions", "set", str(file))
    assert ended.code == 1
    assert sentence in ended.err
    assert not ready.calls
