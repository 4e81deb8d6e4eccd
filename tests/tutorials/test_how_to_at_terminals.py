"""How-to pages that are sessions at a terminal, as the tutorials are: each with a server of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.services import REPOSITORY
from tests.tutorials.session import reader

SESSIONS = ("backup.md", "hanging-plans.md", "lock.md")


@pytest.mark.parametrize("name", SESSIONS)
async def test_a_reader_who_types_all_lines_of_the_page_sees_what_it_says(name: str, short_path: Path) -> None:
    page = (REPOSITORY / "docs/how-to" / name).read_text("utf-8")
    async with reader(short_path) as person:
        await person.read(name, page)
        assert not person.notes, "\n\n".join(person.notes)
