"""Tells the process that started this Manager, and systemd, how far it is and what it waits for."""

from __future__ import annotations

from queueserver_process.ready import SERVING_LINE, STANDBY_LINE, STOP_LINE, WAITING_LINE, ReadyPipe
from queueserver_process.systemd import SystemdNotifier, one_line

from queueserver_manager.operations.status import StatusFacts


class Progress:
    """The progress of one Manager. Make it before anything is started that inherits the environment."""

    def __init__(self, redis: str, worker: str) -> None:
        """``redis`` is the address without a password."""
        self._redis = redis
        self._worker = worker
        self._address = ""
        self._announced = False
        self._line = ""
        self._parent = ReadyPipe()
        self._systemd = SystemdNotifier()

    def begin(self, address: str) -> None:
        """The Manager listens on ``address``, but gives no true answers yet."""
        self._address = address
        self._systemd.status(f"Waiting for Redis at {self._redis}")
        self._systemd.feed_watchdog()

    def announce(self, facts: StatusFacts) -> None:
        """A request gets a true answer. Only the first call counts."""
        if not self._announced:
            self._announced = True
            self._parent.ready(self._address)
            self._systemd.ready(self._sentence(facts))
            self.show(facts)

    def show(self, facts: StatusFacts) -> None:
        """Tell when requests get more than a true answer, when another Manager serves, and what is waited for."""
        if not self._announced:
            return
        sentence = one_line(self._sentence(facts))
        self._systemd.status(sentence)
        if facts.owner_address and not facts.is_owner:
            line = f"{STANDBY_LINE} {facts.owner_address}"
        elif facts.is_owner and facts.storage.is_up and facts.worker_up:
            line = SERVING_LINE
        else:
            line = f"{WAITING_LINE} {sentence}"
        if line != self._line:
            self._line = line
            self._parent.step(line)

    def pass_on_stop(self) -> bool:
        """A client stops the server: tell the process that started all parts; False if there is none."""
        if self._parent.is_listening:
            self._parent.step(STOP_LINE)
            return True
        return False

    def end(self) -> None:
        """The Manager ends."""
        self._systemd.stopping("Ending calls in progress")

    def _sentence(self, facts: StatusFacts) -> str:
        if not facts.storage.is_up:
            return facts.storage.message or f"Waiting for Redis at {self._redis}"
        if facts.owner_address and not facts.is_owner:
            return f"Standby: the Manager at {facts.owner_address} owns the queue"
        if not facts.is_owner:
            return "Loading the queue"
        if not facts.worker_up:
            return f"Waiting for the Worker at {self._worker}"
        return f"Serving on {self._address}"
