"""The two ways to bring startup code, as docs/how-to/compose.md has them, and its other commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from queueserver_client import AsyncClient, Plan

from tests.compose.engine import Deployment
from tests.compose.readiness import until_serving
from tests.harness.services import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "compose.md").read_text(encoding="utf-8")
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PLAN = "import bluesky.plan_stubs as bps\n\n\ndef own_plan():\n    yield from bps.null()\n"
RULES = "user_groups:\n  root: {allowed_plans: [null]}\n  staff: {allowed_plans: [':.*']}\n"


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def settings(block: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", block, re.MULTILINE))


@pytest.fixture
def changed(deployment: Deployment) -> Iterator[Deployment]:
    """The deployment, whose settings are as before afterwards."""
    before = dict(deployment.variables)
    yield deployment
    deployment.variables = before
    deployment.up()


def startup_directory(directory: Path, code: str) -> Path:
    startup = directory / "startup"
    startup.mkdir()
    (startup / "00-plans.py").write_text(code, encoding="utf-8")
    for path in (directory, startup, *startup.iterdir()):
        path.chmod(path.stat().st_mode | 0o555)
    return startup


async def plans_and_groups(deployment: Deployment) -> tuple[str, str]:
    await until_serving(deployment.address, "Task")
    async with AsyncClient(deployment.address) as client:
        if (await client.status()).environment_exists:
            await client.environment.close()
        await client.environment.open()
    return deployment.qserver("existing", "plans"), deployment.qserver("permissions", "get")


async def test_a_directory_is_mounted_with_its_permissions(changed: Deployment, tmp_path: Path) -> None:
    mount, _ = map(settings, blocks(PAGE, "ini"))
    assert mount.keys() == {"QSERVER_STARTUP_DIR"}
    startup = startup_directory(tmp_path, PLAN)
    (startup / "user_group_permissions.yaml").write_text(RULES, encoding="utf-8")
    changed.variables |= {"QSERVER_STARTUP_DIR": str(startup)}
    changed.up()
    plans, groups = await plans_and_groups(changed)
    assert "own_plan" in plans
    assert "staff" in groups


async def test_an_image_has_packages_and_startup_code_of_its_own(changed: Deployment, tmp_path: Path) -> None:
    (dockerfile,) = blocks(PAGE, "dockerfile")
    _, chosen = map(settings, blocks(PAGE, "ini"))
    worker = changed.variables["QSERVER_WORKER_IMAGE"]
    (tmp_path / "Dockerfile").write_text(dockerfile.replace("queueserver-worker", worker), encoding="utf-8")
    startup_directory(tmp_path, f"import h5py\n{PLAN}")
    image = f"{chosen['QSERVER_WORKER_IMAGE']}:test"
    composition = {"services": {"worker": {"image": image, "build": {"context": "."}}}}
    (tmp_path / "compose.yml").write_text(yaml.safe_dump(composition), encoding="utf-8")
    changed.compose("build", file=tmp_path / "compose.yml")
    changed.variables |= chosen | {"QSERVER_WORKER_IMAGE": image}
    changed.up()
    plans, _ = await plans_and_groups(changed)
    assert "own_plan" in plans


async def test_the_readmes_two_commands_run_a_scan(deployment: Deployment) -> None:
    (commands,) = (block for block in blocks(README, "sh") if "docker compose" in block)
    # Not every podman runs health checks by itself, so the test waits for the Manager's own word.
    up, rest = commands.split(" --wait\n", 1)
    deployment.shell(up)
    await until_serving(deployment.address, "Task")
    assert "'scan' completed" in deployment.shell(rest)


async def test_a_queue_is_backed_up_and_restored(deployment: Deployment, tmp_path: Path) -> None:
    backup, restore = (block for block in blocks(PAGE, "sh") if ".tar.gz" in block)
    await until_serving(deployment.address, "Task")
    async with AsyncClient(deployment.address) as client:
        await client.queue.clear()
        handles = await client.queue.add_batch([Plan("count", ["det1"]), Plan("count", ["det2"])])
    deployment.shell(backup, tmp_path)
    await until_serving(deployment.address, "Task")
    async with AsyncClient(deployment.address) as client:
        await client.queue.clear()
    deployment.shell(restore, tmp_path)
    await until_serving(deployment.address, "Task")
    async with AsyncClient(deployment.address) as client:
        assert [item.uid async for item in client.queue.list()] == [handle.uid for handle in handles]


async def test_what_the_page_types_is_understood(deployment: Deployment) -> None:
    typed = [line for block in blocks(PAGE, "sh") for line in block.splitlines()]
    (status,) = (line for line in typed if line.endswith("qserver status"))
    assert "manager_state" in deployment.shell(status)
    deployment.shell(next(line for line in typed if line.endswith(" ps")))
    assert "networks" in yaml.safe_load(*blocks(PAGE, "yaml"))
