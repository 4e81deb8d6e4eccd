"""Where the descriptor set of the contract is: for server reflection, and for tools such as grpcurl.

``grpcurl -protoset "$(python -m queueserver_protos)"`` needs no reflection and no sources of the contract.
"""

from __future__ import annotations

from pathlib import Path


def descriptor_set() -> Path:
    """The file with a ``google.protobuf.FileDescriptorSet``: every file of the contract, its comments, its imports."""
    # Only here: the environment imports what is beside this, and has no generated code.
    import queueserver  # noqa: PLC0415

    return Path(queueserver.__path__[0]) / "queueserver.binpb"
