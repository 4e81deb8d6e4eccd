"""How far an import has come, as JSON."""

from __future__ import annotations

from dataclasses import asdict

from queueserver_manager.domain.import_progress import Import
from queueserver_manager.store.codecs import codec


def encode_import(done: Import) -> bytes:
    """JSON of an import."""
    return codec.encode(asdict(done))


def decode_import(data: bytes) -> Import:
    """An import."""
    return Import(**codec.decode(data))
