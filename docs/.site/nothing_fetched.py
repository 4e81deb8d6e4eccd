"""Warns, and so ends a strict build, if a page of the site would fetch anything from another host when it is read."""

from __future__ import annotations

import logging
import re

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page

#: What a browser fetches by itself. Diagrams by mermaid are drawn by a program that the theme fetches.
_FETCHED = re.compile(r'<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"|class="mermaid"')
_log = logging.getLogger("mkdocs.hooks.nothing_fetched")


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:
    """Look through the finished page."""
    del config
    for found in _FETCHED.findall(output):
        _log.warning("%s would fetch something: %s", page.file.src_uri, found)
    return output
