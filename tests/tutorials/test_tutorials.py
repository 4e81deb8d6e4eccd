"""The tutorials do what they say: a reader types every line of all of them, in order, against one server."""

from __future__ import annotations

import os
from pathlib import Path

from tests.harness.services import REPOSITORY
from tests.tutorials.session import reader

PAGES = {path.name: path.read_text("utf-8") for path in sorted((REPOSITORY / "docs/tutorials").glob("[0-9]*.md"))}
#: For work on one of them: a part of the names of those that are read (what they need of others is then missing).
_ONLY = os.environ.get("TUTORIALS", "")


async def test_a_reader_who_types_all_lines_of_the_tutorials_sees_what_they_say(short_path: Path) -> None:
    async with reader(short_path) as person:
        for name, page in PAGES.items():
            if any(part in name for part in _ONLY.split(",")):
                await person.read(name, page)
        assert not person.notes, "\n\n".join(person.notes)
