"""The mode of the queue as a message."""

from __future__ import annotations

from queueserver.manager.v1 import queue_pb2 as pb

from queueserver_manager.domain.queue.mode import InterruptedPolicy, QueueMode

_POLICIES = {policy: pb.InterruptedPolicy.Value(f"INTERRUPTED_POLICY_{policy.name}") for policy in InterruptedPolicy}
POLICIES_FROM_PROTO: dict[int, InterruptedPolicy] = {number: policy for policy, number in _POLICIES.items()}


def mode_to_proto(mode: QueueMode) -> pb.QueueMode:
    """The mode of the queue."""
    return pb.QueueMode(loop=mode.loop, ignore_failures=mode.ignore_failures, interrupted=_POLICIES[mode.interrupted])
