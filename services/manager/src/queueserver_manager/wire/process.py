"""Facts about a process, and settings, as messages."""

from __future__ import annotations

from collections.abc import Mapping

from queueserver.common.v1 import process_pb2 as pb
from queueserver_process.process_facts import ProcessFacts, shown_value


def process_to_proto(facts: ProcessFacts) -> pb.ProcessInfo:
    """A process, with how long it has run up to now."""
    info = pb.ProcessInfo(
        version=facts.version,
        python=facts.python,
        executable=shown_value(facts.executable),
        host=shown_value(facts.host),
        pid=facts.pid,
        libraries=facts.libraries,
    )
    info.start_time.FromNanoseconds(int(facts.started * 1e9))
    info.uptime.FromNanoseconds(int(facts.uptime * 1e9))
    return info


def settings_to_proto(settings: Mapping[str, str]) -> list[pb.Setting]:
    """Settings by name; empty ones are left out."""
    return [pb.Setting(name=name, value=shown_value(value)) for name, value in settings.items() if value]
