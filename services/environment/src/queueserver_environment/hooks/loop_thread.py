"""The thread in which the event loop of a RunEngine runs, kept alive whatever ends it.

asyncio lets SystemExit and KeyboardInterrupt out of its loop, and any code may call `RE.loop.stop()`. The thread would
end, whatever waits for the plan would wait for ever, and no pause or abort would reach the RunEngine.

Guarantees: the loop continues at once, in another thread, and the plan with it; after a SystemExit the plan ends with
that exception. If the loop was closed, the running plan ends, and no other can start. Nothing is printed.
"""

import threading
from typing import Any, Final

_KEPT_AS: Final = "_queueserver_loop_keeper"


class LoopKeeper:
    """Keeps the loop of one RunEngine running."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        #: How often the loop had to be started again.
        self.restarts = 0
        threading.Thread(target=self._keep, name="bluesky-run-engine-loop", daemon=True).start()

    def _keep(self) -> None:
        engine = self._engine
        engine._th.join()  # noqa: SLF001 - bluesky has no public name for it
        while not engine.loop.is_closed():
            self.restarts += 1
            engine._th = threading.current_thread()  # noqa: SLF001 - as above: an interrupt is sent to this thread
            try:
                engine.loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                continue
            except RuntimeError:
                if not engine.loop.is_closed():
                    # Other code runs the loop itself.
                    return
        engine._blocking_event.set()  # noqa: SLF001 - as above: what the main thread waits for


def loop_keeper(engine: Any) -> LoopKeeper:
    """Return the keeper of a RunEngine's loop, which is kept from now on."""
    kept = vars(engine)
    found = kept.get(_KEPT_AS)
    if not isinstance(found, LoopKeeper):
        found = kept[_KEPT_AS] = LoopKeeper(engine)
    return found
