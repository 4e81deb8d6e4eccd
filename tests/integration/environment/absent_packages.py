"""A Python in which nothing is installed that bluesky does not bring."""

from pathlib import Path

import pytest

#: Python imports it when it starts.
_ABSENT = """
import sys

class Absent:
    names = ("google", "grpc", "yaml", "uvloop", "docstring_parser", "queueserver", "queueserver_worker",
             "queueserver_rpc", "queueserver_manager", "queueserver_client")

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""


def leave_out_packages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes that are started from now on do without them; `folder` is for a file."""
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(_ABSENT)
    monkeypatch.setenv("PYTHONPATH", str(site))
