"""Where the descriptor set of the contract is: for server reflection, and for tools such as grpcurl.

``grpcurl -protoset "$(python -m queueserver_protos)"`` needs no reflection and no sources of the contract.
"""

from __future__ import annotations

from pathlib import Path

import queueserver


def descriptor_set() -> Path:
    """The file with a ``google.protobuf.FileDescriptorSet``: every file of the contract, its comments, its imports."""
    return Path(queueserver.__path__[0]) / "queueserver.binpb"
