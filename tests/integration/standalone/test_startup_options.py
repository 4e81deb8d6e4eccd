"""Where startup code comes from, as a person types it for start-re-manager."""

from __future__ import annotations

from pathlib import Path

import pytest
from queueserver_client import AsyncClient, EnvironmentOpenFailed
from queueserver_standalone.configuration.settings import parse
from queueserver_standalone.errors import StandaloneError

from tests.harness.process import TestProcess
from tests.harness.services import COMMANDS, DEMO_STARTUP
from tests.harness.stack import running_stack, short_directory

PLAN = "def nothing():\n    yield from ()\n"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """The startup directory of the IPython profile "collection"; IPython's directory is two above."""
    folder = tmp_path / "ipython" / "profile_collection" / "startup"
    folder.mkdir(parents=True)
    (folder / "00-plans.py").write_text(PLAN)
    return folder


def test_each_source_is_handed_on_to_the_worker(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = profile / "00-plans.py"
    monkeypatch.chdir(profile.parent)
    assert parse([]).startup.arguments == ["--startup-dir", str(DEMO_STARTUP)]
    assert parse([]).startup.is_demo
    found = ["--startup-dir", str(profile)]
    assert parse(["--startup-dir", "startup"]).startup.arguments == found
    assert parse(["--startup-profile", "collection", "--ipython-dir", "../"]).startup.arguments[1].endswith("startup")
    assert parse(["--startup-script", str(script)]).startup.arguments == ["--startup-script", str(script)]
    assert parse(["--startup-module", "a.b"]).startup.arguments == ["--startup-module", "a.b"]
    monkeypatch.setenv("IPYTHONDIR", str(profile.parent.parent))
    given = parse(["--startup-profile", "collection", "--keep-re", "--strict-startup", "--device-max-depth", "3"])
    assert given.startup.arguments == [*found, "--keep-re", "--strict-startup", "--device-max-depth", "3"]
    assert (given.startup.directory, given.startup.is_demo) == (profile, False)


def test_a_profile_beside_a_script_or_module_says_where_their_files_are(profile: Path) -> None:
    beside = ["--startup-profile", "collection", "--ipython-dir", str(profile.parent.parent)]
    for source in (["--startup-module", "a.b"], ["--startup-script", str(profile / "00-plans.py")]):
        given = parse([*source, *beside])
        assert given.startup.arguments == source
        assert given.files.lists == profile / "existing_plans_and_devices.yaml"
    with pytest.raises(StandaloneError, match=r"--startup-dir and --startup-profile exclude each other"):
        parse(["--startup-dir", str(profile), *beside])


def test_queue_and_permissions_of_the_demo_never_become_those_of_an_instrument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert parse([]).data_directory == tmp_path / "queueserver-demo"
    assert parse(["--startup-dir", "/"]).data_directory == tmp_path / "queueserver"
    assert parse(["--data-dir", str(tmp_path)]).data_directory == tmp_path


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--startup-dir", "/", "--startup-script", "/x.py"], "--startup-dir and --startup-script exclude each other"),
        (["--startup-module", "m", "--startup-script", "/x.py"], "Choose one source of startup code"),
        (["--startup-dir", "/does/not/exist"], "There is no directory /does/not/exist"),
        (["--startup-profile", "p", "--ipython-dir", "/x"], "There is no directory /x/profile_p/startup"),
        (["--startup-profile", ""], "--startup-profile must not be empty"),
        (["--startup-script", "/does/not/exist.py"], "There is no file /does/not/exist.py"),
        (["--startup-module", "startup.py/x"], "is not a module"),
        (["--ipython-dir", "/"], "Name one by --startup-profile"),
        (["--startup-dir", "/", "--ipython-dir", "/"], "Name one by --startup-profile"),
    ],
)
def test_what_can_not_be_meant_is_refused_before_anything_starts(options: list[str], sentence: str) -> None:
    with pytest.raises(StandaloneError, match=sentence):
        parse(options)


async def test_a_server_runs_on_an_ipython_profile(profile: Path) -> None:
    with short_directory() as directory:
        command = [COMMANDS / "start-re-manager", "--listen", "127.0.0.1:0", "--data-dir", directory / "data"]
        options = ["--startup-profile", "collection", "--ipython-dir", profile.parent.parent]
        process = TestProcess("start-re-manager", [*command, *options])
        try:
            async with AsyncClient(process.wait_ready()) as client:
                await client.environment.open()
                assert [plan.name for plan in (await client.inventory.plans(existing=True)).plans] == ["nothing"]
            process.output.wait_for(f"Startup code: {profile}")
            process.output.wait_for("qserver allowed plans")
            assert "det1" not in str(process.output)
        finally:
            process.close()


async def test_a_strict_server_opens_no_environment_with_code_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "00.py").write_text(f"{PLAN}RE = 5\n")
    with running_stack("--strict-startup", startup=tmp_path) as stack:
        async with AsyncClient(stack.address) as client:
            with pytest.raises(
                EnvironmentOpenFailed, match=r"1 thing that can't be used.* RE is of type int and no RunEngine"
            ):
                await client.environment.open()
