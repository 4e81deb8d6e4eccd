"""Reports of plans and devices, completed outside of the environment: docstrings are read, the list file is written.

Guarantees: whatever the environment reports, nothing in here raises.
"""

from __future__ import annotations

from queueserver.worker.v1.environment_channel_pb2 import FromEnvironment

from queueserver_worker.supervisor.inventory.docstrings import Docstrings
from queueserver_worker.supervisor.inventory.list_file import ListFile

MAX_INVENTORY_BYTES = 32 * 1024 * 1024
"""Longest inventory that is accepted: it is part of each snapshot, which must fit one message of gRPC."""
#: Frames that report plans and devices.
_REPORTS = frozenset({"ready", "updated"})


class Reports:
    """Completes the reports of the environments of one Worker, one after the other, in any thread."""

    def __init__(self, list_file: ListFile) -> None:
        self._docstrings = Docstrings()
        self._list_file = list_file
        self._told = ""

    def is_for(self, frame: FromEnvironment) -> bool:
        """Whether a frame is a report."""
        return frame.WhichOneof("frame") in _REPORTS

    def complete(self, frame: FromEnvironment) -> None:
        """Fill in what docstrings say, list plans and devices in the file, and report what is wrong with the file.

        A report that is too long stays as it is: it will not be accepted.
        """
        is_first = frame.HasField("ready")
        report = frame.ready if is_first else frame.updated
        if report.inventory.ByteSize() > MAX_INVENTORY_BYTES:
            return
        self._docstrings.describe(report.inventory, report.docstrings)
        report.docstrings.clear()
        if is_first:
            self._list_file.opened(report.inventory)
        else:
            self._list_file.changed(report.inventory)
        report.inventory.issues.extend(self._list_file.issues)

    def news(self) -> str:
        """What is wrong with the file since the last report, in a sentence; empty if it is known or nothing is."""
        problem = self._list_file.problem
        news = problem if problem != self._told else ""
        self._told = problem
        return news
