"""The page about the Python client: every snippet is executed, in order, and prints what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from queueserver_client import Client

from tests.harness.services import REPOSITORY
from tests.harness.stack import Stack, running_stack
from tests.how_to.pages import fits

PAGE = REPOSITORY / "docs" / "how-to" / "python-client.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def snippets(page: Path) -> Iterator[tuple[int, str, str]]:
    """Line, code, and what is said to come out, of each snippet. AssertionError for a block that is none."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        kind, code, said = block.groups()
        line = text.count("\n", 0, block.start()) + 1
        assert kind == "python", f"the block in line {line} is not a snippet"
        assert said is not None, f"the page does not say what comes out of the snippet in line {line}"
        yield line, code, said


@pytest.fixture(scope="module")
def server() -> Iterator[Stack]:
    """The demo."""
    with running_stack() as stack:
        yield stack


def test_every_snippet_prints_what_the_page_says(server: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QSERVER_ADDRESS", server.address)
    names: dict[str, object] = {"__name__": "notebook"}
    found = list(snippets(PAGE))
    assert len(found) >= 18
    for line, code, said in found:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile("\n" * line + code, str(PAGE), "exec"), names)  # noqa: S102 - that is what is tested
        assert fits(said, out.getvalue()), f"line {line}: it printed\n{out.getvalue()}\nand the page says\n{said}"
    with Client(server.address) as client:
        assert client.status().items_in_queue == 0
        assert not client.status().lock.is_locked
