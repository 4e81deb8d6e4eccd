"""The stand-in for IPython's shell: what it does, what it ignores and says so, what it refuses."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from queueserver_environment.startup.ipython_magics import UnknownMagicError
from queueserver_environment.startup.ipython_standin import InteractiveShellStandIn
from queueserver_environment.startup.startup import execute_file


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InteractiveShellStandIn:
    """A shell whose startup file is in a folder of its own, which is not the current one."""
    folder = tmp_path / "startup"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__file__": str(folder / "00-first.ipy"), "motor": 1}
    shell = InteractiveShellStandIn(namespace, execute_file)
    namespace["get_ipython"] = lambda: shell
    return shell


def test_what_only_concerns_a_terminal_or_plots_is_ignored_with_a_line(
    shell: InteractiveShellStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    for magic in ("matplotlib", "autoawait", "load_ext", "xmode", "colors", "pylab"):
        shell.run_line_magic(magic, "x")
    shell.magic("%logstart -o -t log.txt rotate")
    shell.register_magics(object)
    shell.events.register("pre_run_cell", print)
    shell.prompts = "mine"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ignored: %matplotlib x (there is no IPython shell in the environment)"
    assert len(lines) == 9


def test_its_settings_are_an_empty_mapping_that_takes_settings_as_that_of_ipython(
    shell: InteractiveShellStandIn,
) -> None:
    assert dict(shell.config) == {}
    assert "IPKernelApp" not in shell.config
    assert shell.config.get("x", 1) == 1
    shell.config.TerminalInteractiveShell.colors = "Linux"
    shell.config["InteractiveShell"]["autoawait"] = False
    assert dict(shell.config) == {
        "TerminalInteractiveShell": {"colors": "Linux"},
        "InteractiveShell": {"autoawait": False},
    }
    with pytest.raises(AttributeError):
        _ = shell.config.colors
    assert not shell.has_trait("kernel")


def test_run_executes_a_file_beside_the_startup_file_or_in_the_current_directory(
    shell: InteractiveShellStandIn, tmp_path: Path
) -> None:
    (tmp_path / "startup" / "beside.py").write_text("import os\nname = os.path.basename(__file__)\nhidden = __name__\n")
    (tmp_path / "here.ipy").write_text("motor += 1\n%env ANSWER_OF_TEST=42\n")
    shell.run_line_magic("run", "beside.py")
    shell.run_line_magic("run", "-i here.ipy")
    assert (shell.user_ns["name"], shell.user_ns["hidden"], shell.user_ns["motor"]) == ("beside.py", "__main__", 2)
    assert shell.user_ns["__file__"].endswith("00-first.ipy")
    assert os.environ.pop("ANSWER_OF_TEST") == "42"


def test_a_run_that_finds_nothing_or_is_not_understood_is_an_error(shell: InteractiveShellStandIn) -> None:
    with pytest.raises(FileNotFoundError, match="give its whole path"):
        shell.run_line_magic("run", "nope.py")
    with pytest.raises(ValueError, match="write '%run FILE'"):
        shell.run_line_magic("run", "-p nope.py")


def test_unknown_magics_are_errors_and_magics_of_the_startup_code_are_run(shell: InteractiveShellStandIn) -> None:
    with pytest.raises(UnknownMagicError, match="%mov is not a magic of this environment"):
        shell.run_line_magic("mov", "motor 1")
    shell.register_magic_function(lambda line: f"moved {line}", magic_name="mov")
    assert shell.run_line_magic("mov", "motor 1") == "moved motor 1"


def test_commands_run_in_the_shell_and_statements_in_the_namespace(
    shell: InteractiveShellStandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    shell.system("echo from the shell; exit 3")
    assert shell.user_ns["_exit_code"] == 3
    assert capfd.readouterr().out == "from the shell\n"
    shell.run_line_magic("time", "motor = 5")
    shell.push({"extra": 6})
    assert (shell.user_ns["motor"], shell.user_ns["extra"]) == (5, 6)
    shell.run_line_magic("cd", "startup")
    assert Path.cwd().name == "startup"


def test_anything_else_of_a_shell_is_an_attribute_error_that_says_what_there_is(
    shell: InteractiveShellStandIn,
) -> None:
    assert not hasattr(shell, "kernel")
    with pytest.raises(AttributeError, match=r"get_ipython\(\).run_cell does not exist here.*is_re_worker_active"):
        shell.run_cell("x = 1")
