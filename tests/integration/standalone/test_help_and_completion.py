"""What start-re-manager shows of its options: by -h, and to a shell that completes them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from queueserver_standalone.configuration.option_table import OPTIONS

from tests.harness.services import COMMANDS

COMMAND = COMMANDS / "start-re-manager"
#: What bash does when the tabulator key is pressed behind a word.
PRESS_TAB = """
source "$1"
COMP_LINE="$2"; COMP_POINT=${#2}; COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]}-1))
_python_argcomplete start-re-manager
printf '%s\\n' "${COMPREPLY[@]}"
"""


def shown(*words: str) -> str:
    ended = subprocess.run([COMMAND, *words], capture_output=True, text=True, timeout=60, check=True)
    assert not ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("completion") / "script"
    file.write_text(shown("--completion", "bash"))
    return file


def test_help_lists_all_options_and_teaches_by_example() -> None:
    text = shown("-h")
    for option in OPTIONS:
        is_listed = re.search(rf"  {option.flag}(?![\w-])", text) is not None
        assert is_listed is option.on_command_line
    assert "start-re-manager --startup-profile collection" in text
    assert "docs/reference/configuration.md" in text
    assert "--zmq-data-proxy-addr" not in text


def test_the_version_is_the_only_thing_on_standard_output() -> None:
    assert len(shown("--version").split()) == 1


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("--startup-", {"--startup-dir", "--startup-profile", "--startup-script", "--startup-module"}),
        ("--console-output O", {"ON", "OFF"}),
        ("--log-level W", {"WARNING"}),
        ("--kafka-", set()),
    ],
)
def test_bash_completes_options_and_their_words(script: Path, typed: str, found: set[str]) -> None:
    command = ["bash", "-c", PRESS_TAB, "bash", str(script), f"start-re-manager {typed}"]
    environment = {**os.environ, "PATH": f"{COMMANDS}:{os.environ['PATH']}"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert set(ended.stdout.split()) == found


@pytest.mark.parametrize(("shell", "word"), [("zsh", "compdef"), ("fish", "complete --command start-re-manager")])
def test_other_shells_have_scripts_of_their_own(shell: str, word: str) -> None:
    assert word in shown("--completion", shell)
