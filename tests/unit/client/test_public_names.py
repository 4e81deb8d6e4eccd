"""The public names: loaded when they are asked for, from where type checkers find them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import queueserver_client
from queueserver_client.homes import HOMES


def declared() -> dict[str, str]:
    """Each name and its module, as the package says to type checkers."""
    tree = ast.parse(Path(queueserver_client.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {
        alias.name: str(node.module).removeprefix("queueserver_client.") for node in imports for alias in node.names
    }


def test_a_name_is_loaded_from_where_type_checkers_find_it() -> None:
    assert declared() == HOMES


def test_every_public_name_is_there_and_listed() -> None:
    assert set(queueserver_client.__all__) == set(HOMES)
    for name in queueserver_client.__all__:
        assert getattr(queueserver_client, name) is not None
    assert set(queueserver_client.__all__) <= set(dir(queueserver_client))


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = queueserver_client.Nothing  # type: ignore[attr-defined]
