"""Links to the repository's other files: they work where the repository is read, and in the site as far as it has them.

A file of the contract has a page in the site. Anything else is shown as its path. What does not exist is a warning, and
that ends a strict build.
"""

from __future__ import annotations

import logging
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

_LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")
_log = logging.getLogger("mkdocs.hooks.outside_links")


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at what the site has."""
    repository = Path(config.config_file_path).parent
    here = posixpath.join("docs", posixpath.dirname(page.file.src_uri))

    def pointed(link: re.Match[str]) -> str:
        text, target, anchor = link[1], link[2], link[3] or ""
        if re.match(r"[a-z]+:", target):
            return link[0]
        path = posixpath.normpath(posixpath.join(here, target))
        inside = path.startswith("docs/")
        if inside and not (repository / path).is_dir():
            return link[0]
        if not (repository / path).exists():
            _log.warning("%s links to %s, which does not exist", page.file.src_uri, target)
        found = _in_site(path, files)
        if found is None:
            return f"{text} (`{path}`)"
        return f"[{text}]({posixpath.relpath(found, posixpath.dirname(page.file.src_uri) or '.')}{anchor})"

    return _LINK.sub(pointed, markdown)


def _in_site(path: str, files: Files) -> str | None:
    """The page that shows a file or a directory of the repository."""
    if path.startswith("docs/"):
        page = f"{path.removeprefix('docs/')}/index.md"
    elif path.startswith("protos/") and path.endswith(".proto"):
        page = f"reference/{path}.md"
    elif path.startswith("protos/queueserver"):
        page = "reference/protos/index.md"
    else:
        return None
    return page if files.get_file_from_path(page) else None
