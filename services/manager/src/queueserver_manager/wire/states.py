"""States of the Manager on the wire."""

from __future__ import annotations

from collections.abc import Mapping

from queueserver.manager.v1 import status_pb2

from queueserver_manager.domain.lifecycle import ManagerState

MANAGER_STATES: Mapping[ManagerState, status_pb2.ManagerState.ValueType] = {
    state: status_pb2.ManagerState.Value(f"MANAGER_STATE_{state.name}") for state in ManagerState
}
