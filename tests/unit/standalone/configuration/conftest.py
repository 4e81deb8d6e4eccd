"""No variable of the machine on which the tests run says anything about a server."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tuple(os.environ):
        if name.startswith(("QSERVER_", "QUEUESERVER_")):
            monkeypatch.delenv(name)
