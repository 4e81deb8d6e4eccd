"""Names of the services, for reflection and health."""

from __future__ import annotations

STATUS = "queueserver.manager.v1.StatusService"
QUEUE = "queueserver.manager.v1.QueueService"
HISTORY = "queueserver.manager.v1.HistoryService"
ENVIRONMENT = "queueserver.manager.v1.EnvironmentService"
INVENTORY = "queueserver.manager.v1.InventoryService"
RUN_ENGINE = "queueserver.manager.v1.RunEngineService"
TASK = "queueserver.manager.v1.TaskService"
PERMISSION = "queueserver.manager.v1.PermissionService"
PLANNING = "queueserver.manager.v1.PlanningService"
EVENT = "queueserver.manager.v1.EventService"

SERVICES = (STATUS, QUEUE, HISTORY, ENVIRONMENT, RUN_ENGINE, INVENTORY, TASK, PLANNING, PERMISSION, EVENT)
