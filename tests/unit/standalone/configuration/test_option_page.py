"""The page about options says what the tables say, and its example is right."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from queueserver_standalone.configuration.settings import parse

from tests.harness.services import REPOSITORY

PAGE = REPOSITORY / "docs" / "reference" / "configuration.md"


def test_the_page_is_what_the_tables_say() -> None:
    """If this fails, ``make options`` mends it."""
    made = runpy.run_path(str(REPOSITORY / "services" / "standalone" / "option_page.py"))
    assert PAGE.read_text(encoding="utf-8") == made["page"]()


def test_the_file_in_the_page_can_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / ".ipython/profile_collection/startup").mkdir(parents=True)
    permissions = tmp_path / "user_group_permissions.yaml"
    permissions.write_text("")
    for name, value in {"HOME": str(tmp_path), "BEAMLINE": "bl7", "EMERGENCY_KEY": "sesame"}.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "config.yml"
    file.write_text(example.replace("/etc/queueserver/user_group_permissions.yaml", str(permissions)))
    found = parse(["--config", str(file)])
    assert (found.key_prefix, found.emergency_lock_key, found.console_output) == ("bl7", "sesame", "OFF")
    assert found.startup.value == str(tmp_path / ".ipython/profile_collection/startup")
