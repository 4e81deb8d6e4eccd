"""grpc.health.v1, truthful: a service is SERVING only while it can do its work.

| service                              | needs                                 |
|--------------------------------------|---------------------------------------|
| Status                               | the process                           |
| "", Queue, History, Permission, Lock | to own the queue, and Redis           |
| Inventory, Planning, Server, Event   | to own the queue                      |
| Environment, RunEngine               | to own the queue, and a Worker        |
| Task                                 | to own the queue, Redis, and a Worker |
"""

from __future__ import annotations

import asyncio

from queueserver_rpc.server import Server

from queueserver_manager.operations.status import StatusFacts
from queueserver_manager.rpc import services


class Health:
    """Keeps the health service in step with the status."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._told: dict[str, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def update(self, facts: StatusFacts) -> None:
        """A new status: tell the health service what changed."""
        owner = facts.is_owner
        stored = owner and facts.storage.is_up
        wanted = {
            services.STATUS: True,
            "": stored,
            services.QUEUE: stored,
            services.HISTORY: stored,
            services.PERMISSION: stored,
            services.LOCK: stored,
            services.INVENTORY: owner,
            services.PLANNING: owner,
            services.SERVER: owner,
            services.EVENT: owner,
            services.ENVIRONMENT: owner and facts.worker_up,
            services.RUN_ENGINE: owner and facts.worker_up,
            services.TASK: stored and facts.worker_up,
        }
        for service, serving in wanted.items():
            if self._told.get(service) is not serving:
                self._told[service] = serving
                task = asyncio.get_running_loop().create_task(self._server.set_serving(service, serving=serving))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
