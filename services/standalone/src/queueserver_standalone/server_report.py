"""What systemd is told about the whole server: from its parts, and from what the Manager reports."""

from __future__ import annotations

from queueserver_process.ready import SERVING_LINE, STANDBY_LINE
from queueserver_process.systemd import SystemdNotifier

from queueserver_standalone.services import Services
from queueserver_standalone.supervisor import Supervisor


class ServerReport:
    """Tells systemd how the server is, from the beginning of its start to its end."""

    def __init__(self, services: Services, systemd: SystemdNotifier) -> None:
        self._services = services
        self._systemd = systemd
        self._supervisor: Supervisor | None = None

    def begin(self, supervisor: Supervisor) -> None:
        """Feed the watchdog while the supervisor is well, and show what is waited for. Call it in the loop."""
        self._supervisor = supervisor
        self._services.manager_reported = self.show
        self._systemd.feed_watchdog(lambda: supervisor.is_well)
        self.show()

    def ready(self) -> None:
        """Plans can be executed, or this server is a standby."""
        self._systemd.ready(self._sentence())

    def show(self) -> None:
        """Something may have changed."""
        if self._supervisor is not None and not self._supervisor.is_stopping:
            self._systemd.status(self._sentence())

    def end(self) -> None:
        """The parts are being stopped."""
        self._systemd.stopping("Stopping: a running plan is aborted, and its outcome is stored")

    def _sentence(self) -> str:
        missing = self._supervisor.missing if self._supervisor is not None else []
        if missing:
            return f"Waiting for the start of {' and '.join(missing)}"
        if self._services.manager_waits:
            return self._services.manager_waits
        word, _, owner = self._services.manager_says.partition(" ")
        if word == STANDBY_LINE:
            return f"Standby on {self._services.address}: the Manager at {owner} owns the queue"
        if word == SERVING_LINE:
            return f"Serving on {self._services.address}"
        return "Waiting until the Manager reaches Redis and the Worker"
