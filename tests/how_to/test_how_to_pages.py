"""The pages do what they say: every line of them is typed, and what comes out is what the page says."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.harness.services import COMMANDS, REPOSITORY
from tests.harness.stack import running_stack
from tests.how_to.pages import fits, steps_of
from tests.how_to.terminal import Terminal, terminal

PAGES = REPOSITORY / "docs" / "how-to"
#: Where the pages say that the server is; the test's own is elsewhere.
ADDRESS = "127.0.0.1:60630"
#: Programs that a page installs by `go install`; they are kept, so that only the first run compiles them.
PROGRAMS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "queueserver-how-to"


@contextlib.asynccontextmanager
async def typing(directory: Path) -> AsyncIterator[tuple[Terminal, str]]:
    """A terminal beside a server, and the address of that."""
    assert shutil.which("go"), "This needs Go, to install grpcurl: see https://go.dev/doc/install"
    path = os.pathsep.join([str(PROGRAMS), str(COMMANDS), os.environ["PATH"]])
    with running_stack() as stack:
        async with terminal(directory, {"PATH": path, "GOBIN": str(PROGRAMS)}) as bash:
            yield bash, stack.address


@pytest.mark.parametrize("page", ["grpcurl.md"])
async def test_every_step_of_a_page_does_what_the_page_says(page: str, tmp_path: Path) -> None:
    text = (PAGES / page).read_text(encoding="utf-8")
    assert ADDRESS in text
    async with typing(tmp_path) as (bash, address):
        for step in steps_of(text):
            output, failed = await bash.type(step.commands.replace(ADDRESS, address))
            told = f"{page}, line {step.line}:\n{step.commands}\nprinted:\n{output}\nfailed: {failed}\n"
            assert bool(failed) == step.is_refused, told
            assert step.output is None or fits(step.output, output), f"{told}the page says:\n{step.output}"


async def test_the_lines_for_grpcurl_in_the_readme_run(tmp_path: Path) -> None:
    install = steps_of((PAGES / "grpcurl.md").read_text(encoding="utf-8"))[0].commands
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (block,) = (
        block
        for block in re.findall(r"^```sh\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
        if "grpcurl -plaintext" in block
    )
    *lines, watch = block.splitlines()
    assert "WatchEvents" in watch
    async with typing(tmp_path) as (bash, address):
        for line in (*install.splitlines(), *lines):
            output, failed = await bash.type(line.replace(ADDRESS, address))
            assert failed == [], output
        output, _ = await bash.type(f"grep -m 1 resumeToken < <({watch})")
    assert "resumeToken" in output
