"""What clients that ask are told about this Manager: versions, settings, bounds.

Each setting that may be shown is named here, so that a new one is not shown by accident. No password, no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

from queueserver_process.process_facts import ProcessFacts, versions_of
from queueserver_rpc.message_sizes import MAX_MESSAGE_BYTES
from queueserver_rpc.server import MAX_REQUEST_BYTES

from queueserver_manager.domain.limits import Limits
from queueserver_manager.operations.instance import Instance, ServerLimit
from queueserver_manager.settings import Settings
from queueserver_manager.store.connection import without_password

_LIBRARIES = (
    "queueserver-protos",
    "queueserver-standalone",
    "grpcio",
    "protobuf",
    "redis",
    "hiredis",
    "uvloop",
    "pydantic",
)


def instance_of(settings: Settings) -> Instance:
    """Facts about the Manager that is started with these settings."""
    return Instance(
        process=ProcessFacts(version("queueserver-manager"), versions_of(_LIBRARIES)),
        contract_version=version("queueserver-protos"),
        data_directory=settings.data_directory,
        redis_address=without_password(settings.redis),
        settings=_shown(settings),
        limits=_limits(settings.limits),
    )


def _shown(settings: Settings) -> Mapping[str, str]:
    return {
        "listen": settings.listen,
        "insecure-listen": _on(settings.insecure_listen),
        "advertise-address": settings.advertise or "",
        "internal-address": settings.internal or "",
        "worker": settings.worker,
        **(settings.worker_tls.shown() if settings.worker_tls is not None else {}),
        "redis": without_password(settings.redis),
        "key-prefix": settings.key_prefix,
        "instance-id": settings.instance_id,
        "permitted-re-metadata-keys": " ".join(settings.permitted_metadata),
        "scripts": _on(settings.scripts),
        "default-user-group": settings.default_group,
        "user-group-permissions": str(settings.permissions or ""),
        "user-group-permissions-reload": settings.permissions_reload.value,
        "existing-plans-devices": str(settings.existing_lists or ""),
        "log-level": settings.log.level,
        "log-format": settings.log.form,
    }


def _on(value: bool) -> str:
    return "ON" if value else "OFF"


def _limits(limits: Limits) -> tuple[ServerLimit, ...]:
    bounds = {
        "queue": limits.queue,
        "history": limits.history,
        "kept answers": limits.answers,
        "event log": limits.log,
    }
    return (
        *(ServerLimit(name, bound.number, bound.size) for name, bound in bounds.items()),
        ServerLimit("task results", limits.tasks.count, limits.tasks.size, limits.tasks.age),
        ServerLimit("request", size=MAX_REQUEST_BYTES),
        ServerLimit("answer", size=MAX_MESSAGE_BYTES),
    )
