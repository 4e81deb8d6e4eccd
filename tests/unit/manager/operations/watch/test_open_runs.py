"""Documents of open runs, for watchers that come late: as many as there is room for."""

from __future__ import annotations

from queueserver_manager.operations.watch.open_runs import OpenRuns
from queueserver_manager.worker_client.port import DocumentRole, DocumentWritten

MIB = 1024 * 1024


def note(runs: OpenRuns, run_uid: str, role: DocumentRole, size: int = 10) -> bytes:
    wire = run_uid.encode().ljust(size, b".")
    runs.note(DocumentWritten(wire, run_uid, role))
    return wire


def test_start_and_descriptors_are_kept_until_the_run_is_closed() -> None:
    runs = OpenRuns()
    begin = note(runs, "a", DocumentRole.START)
    note(runs, "a", DocumentRole.OTHER)
    later = note(runs, "a", DocumentRole.DESCRIPTOR, 20)
    other = note(runs, "b", DocumentRole.START)
    note(runs, "c", DocumentRole.DESCRIPTOR)
    assert runs.documents() == [begin, later, other]
    note(runs, "a", DocumentRole.STOP)
    note(runs, "c", DocumentRole.STOP)
    assert runs.documents() == [other]


def test_beyond_a_number_or_a_size_the_oldest_runs_are_let_go() -> None:
    runs = OpenRuns()
    for number in range(101):
        note(runs, f"{number}", DocumentRole.START)
    assert len(runs.documents()) == 100
    large = note(runs, "large", DocumentRole.START, 15 * MIB)
    assert len(runs.documents()) == 100
    more = note(runs, "more", DocumentRole.START, 2 * MIB)
    assert runs.documents() == [more]
    assert len(large) + len(more) > 16 * MIB
    note(runs, "more", DocumentRole.DESCRIPTOR, 14 * MIB)
    assert len(runs.documents()) == 2
    note(runs, "more", DocumentRole.DESCRIPTOR, 1)
    assert runs.documents() == []
    assert len({note(runs, "next", DocumentRole.START, 16 * MIB)}) == len(runs.documents()) == 1


def test_all_are_forgotten_together() -> None:
    runs = OpenRuns()
    note(runs, "a", DocumentRole.START, 16 * MIB)
    runs.clear()
    note(runs, "b", DocumentRole.START, 16 * MIB)
    assert len(runs.documents()) == 1
