"""Facts about a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from queueserver_client.models.status import ManagerRole
from queueserver_client.models.wire_enum import WireEnum, to_datetime

if TYPE_CHECKING:
    from queueserver.common.v1 import process_pb2
    from queueserver.manager.v1 import server_service_pb2 as pb


class StopMode(WireEnum):
    """When a server may be stopped."""

    UNSPECIFIED = "unspecified"
    WHEN_IDLE = "when_idle"
    AT_ONCE = "at_once"


class StartupSourceKind(WireEnum):
    """From where startup code is loaded."""

    UNSPECIFIED = "unspecified"
    DIRECTORY = "directory"
    SCRIPT = "script"
    MODULE = "module"


@dataclass(frozen=True)
class ProcessInfo:
    """A process of the server."""

    #: Version of the part that runs in it.
    version: str
    #: For example "CPython 3.11.9".
    python: str
    executable: str
    host: str
    pid: int
    start_time: datetime
    #: Seconds for which it has run.
    uptime: float
    #: Versions of the libraries that matter, by name.
    libraries: Mapping[str, str]

    @classmethod
    def from_proto(cls, proto: process_pb2.ProcessInfo) -> ProcessInfo:
        """Read the message of the contract."""
        return cls(
            version=proto.version,
            python=proto.python,
            executable=proto.executable,
            host=proto.host,
            pid=proto.pid,
            start_time=to_datetime(proto.start_time),
            uptime=proto.uptime.ToNanoseconds() / 1e9,
            libraries=dict(proto.libraries),
        )


@dataclass(frozen=True)
class CodeRevision:
    """The state of the startup code's git repository when the environment began to open."""

    repository: str
    commit: str
    branch: str
    #: Whether it differed from that commit; None if that is not known.
    changed: bool | None
    #: Why something is not known; empty if nothing is missing.
    problem: str

    @classmethod
    def from_proto(cls, proto: process_pb2.CodeRevision) -> CodeRevision:
        """Read the message of the contract."""
        changed = proto.changed if proto.HasField("changed") else None
        return cls(proto.repository, proto.commit, proto.branch, changed, proto.problem)


@dataclass(frozen=True)
class StartupCode:
    """The startup code."""

    kind: StartupSourceKind
    #: As the server was told: a path, or the dotted name of a module.
    source: str
    #: The directory or file that it is; empty if it is not known.
    path: str
    #: None if it lies in no repository, or there is no environment.
    revision: CodeRevision | None

    @classmethod
    def from_proto(cls, proto: process_pb2.StartupCode) -> StartupCode:
        """Read the message of the contract."""
        revision = CodeRevision.from_proto(proto.revision) if proto.HasField("revision") else None
        return cls(StartupSourceKind.from_number(proto.kind), proto.source, proto.path, revision)


@dataclass(frozen=True)
class ServerLimit:
    """A bound in force."""

    name: str
    #: How many there may be, and how many bytes together; None if that is not bounded.
    max_count: int | None
    max_bytes: int | None
    #: Seconds for which they are kept at most; None if that is not bounded.
    max_age: float | None

    @classmethod
    def from_proto(cls, proto: pb.ServerLimit) -> ServerLimit:
        """Read the message of the contract."""
        age = proto.max_age.ToNanoseconds() / 1e9 if proto.HasField("max_age") else None
        return cls(proto.name, proto.max_count or None, proto.max_bytes or None, age)


@dataclass(frozen=True)
class ServerInfo:
    """Facts about a server. Secrets are left out."""

    time: datetime
    manager: ProcessInfo
    #: None if it is not known, see ``unknown``.
    worker: ProcessInfo | None
    #: None if there is none, or it is not known.
    environment: ProcessInfo | None
    startup_code: StartupCode | None
    #: Address of Redis without a password, and its version; empty if it is not known.
    redis_address: str
    redis_version: str
    contract_version: str
    role: ManagerRole
    #: Where it serves clients, and the address they are told.
    address: str
    advertised_address: str
    #: Empty for a Manager that was started by itself.
    data_directory: str
    #: How the Manager and the Worker were started, by names of options.
    settings: Mapping[str, str]
    worker_settings: Mapping[str, str]
    limits: Sequence[ServerLimit]
    #: What is not known, and why.
    unknown: Sequence[str]

    @classmethod
    def from_proto(cls, proto: pb.ServerInfo) -> ServerInfo:
        """Read the message of the contract."""
        return cls(
            time=to_datetime(proto.time),
            manager=ProcessInfo.from_proto(proto.manager),
            worker=ProcessInfo.from_proto(proto.worker) if proto.HasField("worker") else None,
            environment=ProcessInfo.from_proto(proto.environment) if proto.HasField("environment") else None,
            startup_code=StartupCode.from_proto(proto.startup_code) if proto.HasField("startup_code") else None,
            redis_address=proto.redis.address,
            redis_version=proto.redis.version,
            contract_version=proto.contract_version,
            role=ManagerRole.from_number(proto.role),
            address=proto.address,
            advertised_address=proto.advertised_address,
            data_directory=proto.data_directory,
            settings={setting.name: setting.value for setting in proto.settings},
            worker_settings={setting.name: setting.value for setting in proto.worker_settings},
            limits=[ServerLimit.from_proto(limit) for limit in proto.limits],
            unknown=list(proto.unknown),
        )
