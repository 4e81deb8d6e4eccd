"""Names of the services, for reflection and health, and of methods, for advice to call one."""

from __future__ import annotations

from queueserver.manager.v1 import queue_service_pb2

STATUS = "queueserver.manager.v1.StatusService"
#: The code for its servicer and clients does not load its descriptor, because its messages are in other files.
QUEUE: str = queue_service_pb2.DESCRIPTOR.services_by_name["QueueService"].full_name
HISTORY = "queueserver.manager.v1.HistoryService"
ENVIRONMENT = "queueserver.manager.v1.EnvironmentService"
INVENTORY = "queueserver.manager.v1.InventoryService"
RUN_ENGINE = "queueserver.manager.v1.RunEngineService"
TASK = "queueserver.manager.v1.TaskService"
PERMISSION = "queueserver.manager.v1.PermissionService"
PLANNING = "queueserver.manager.v1.PlanningService"
LOCK = "queueserver.manager.v1.LockService"
SERVER = "queueserver.manager.v1.ServerService"
EVENT = "queueserver.manager.v1.EventService"

SERVICES = (
    *(STATUS, QUEUE, HISTORY, ENVIRONMENT, RUN_ENGINE, INVENTORY, TASK, PLANNING, PERMISSION, LOCK, SERVER, EVENT),
)


def full_method(name: str) -> str:
    """The name that gRPC has for a method such as "QueueService.AddItem"; empty for an empty one."""
    return f"queueserver.manager.v1.{name.replace('.', '/')}" if name else ""
