"""Links of the pages that are read in the repository lead somewhere, and the site's navigation has every page.

`make docs` checks the links of the site itself, and what a heading is called there.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.services import REPOSITORY

DOCS = REPOSITORY / "docs"
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]*)(?:#([^)\s]*))?\)")
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
READ_IN_THE_REPOSITORY = [
    REPOSITORY / "README.md",
    *REPOSITORY.glob("clients/*/README.md"),
    *REPOSITORY.glob("services/*/README.md"),
    REPOSITORY / "tests/README.md",
    *DOCS.rglob("*.md"),
]


@pytest.mark.parametrize("page", READ_IN_THE_REPOSITORY, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading_of_it(page: Path) -> None:
    broken = []
    for target, anchor in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        if re.match("[a-z]+:", target):
            continue
        file = page.parent / target if target else page
        if not file.exists() or (anchor and anchor not in _headings(file)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def test_every_page_is_in_the_navigation_of_the_site_once() -> None:
    navigation = re.findall(r"^ +- (?:[^:\n]+: )?([\w/-]+\.md)$", (REPOSITORY / "mkdocs.yml").read_text(), re.MULTILINE)
    made_by_the_site = ["reference/protos/index.md"]
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")]
    assert sorted(navigation) == sorted(pages + made_by_the_site)


def test_every_page_about_how_to_do_something_is_listed_on_the_front_page_of_its_room() -> None:
    for room in ("how-to", "tutorials", "guarantees", "decisions"):
        front = (DOCS / room / "index.md").read_text(encoding="utf-8")
        pages = {page.name for page in (DOCS / room).glob("*.md")} - {"index.md"}
        assert {page for page in pages if f"({page})" not in front} == set()


def _headings(page: Path) -> set[str]:
    """Names under which headings are found, as sites that show Markdown make them."""
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
