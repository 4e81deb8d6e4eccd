"""Startup code for tests of pauses: plans that wait for the test, which lets them go on with SIGUSR1."""

# ruff: noqa: ANN001, ANN201, ANN202, T201 - looks like beamline code
# mypy: ignore-errors

import asyncio
import ctypes
import os
import signal
import threading
import time

import bluesky.plan_stubs as bps
import bluesky.preprocessors as bpp
from bluesky import RunEngine
from bluesky.utils import plan
from ophyd import Device
from ophyd.status import Status

RE = RunEngine({}, context_managers=[])
RE.md["proposal"] = 17

gate, opener = os.pipe()
os.set_blocking(opener, False)
# Python writes a byte when the signal comes, also while the main thread is on its way into a system call.
signal.set_wakeup_fd(opener)
signal.signal(signal.SIGUSR1, lambda *_: None)


def wait_at_gate():
    os.read(gate, 1)


class Counter(Device):
    """A detector that counts its triggers. When told to wait, the next one is done when the gate opens."""

    triggers = 0
    waits = False

    def trigger(self):
        self.triggers += 1
        status = Status(self)
        if self.waits:
            self.waits = False
            threading.Thread(target=self.finish, args=(status,), daemon=True).start()
            print("the detector waits")
        else:
            status.set_finished()
        return status

    def finish(self, status):
        wait_at_gate()
        status.set_finished()

    def read(self):
        return {"triggers": {"value": self.triggers, "timestamp": time.time()}}

    def describe(self):
        return {"triggers": {"source": "test", "dtype": "integer", "shape": []}}


counter = Counter(name="counter")


class Fragile(Device):
    """A device that can't be resumed."""

    def pause(self):
        pass

    def resume(self):
        raise RuntimeError("the device does not resume")


fragile = Fragile(name="fragile")


class SlowToStop(Device):
    """A motor whose stop is asked for a pause meanwhile."""

    def set(self, _):
        status = Status(self)
        status.set_finished()
        return status

    async def stop(self, *, success=False):
        del success
        asyncio.get_running_loop().create_task(RE._request_pause_coro(False))
        await asyncio.Event().wait()


slow_to_stop = SlowToStop(name="slow_to_stop")


@bpp.run_decorator()
def points(num=2):
    """Take points; the first one waits for the gate."""
    counter.triggers = 0
    counter.waits = True
    for _ in range(num):
        yield from bps.checkpoint()
        yield from bps.trigger_and_read([counter])
    yield from bps.checkpoint()


@bpp.run_decorator()
def last_point():
    """Take a point that waits for the gate, with no checkpoint after it."""
    counter.triggers = 0
    counter.waits = True
    yield from bps.checkpoint()
    yield from bps.trigger_and_read([counter])


@bpp.run_decorator()
def waiting(clean_up="clean"):
    """Wait for long, and clean up."""

    def tidy():
        print("the plan cleans up")
        yield from bps.null()
        if clean_up == "fail":
            raise ValueError("the shutter is stuck")

    def wait():
        yield from bps.checkpoint()
        print("the plan waits")
        yield from bps.sleep(1000)
        yield from bps.null()

    yield from bpp.finalize_wrapper(wait(), tidy)


def fails_after_resume():
    yield from bps.checkpoint()
    yield from bps.pause()
    raise ValueError("nothing left to measure")


def pauses_itself():
    yield from bps.checkpoint()
    yield from bps.pause()
    print("went on after its own pause")


def holds_fragile():
    yield from bps.checkpoint()
    yield from bps.null()
    yield bps.Msg("null", fragile)
    yield from bps.pause()


def clings_to_life():
    """Try to go on whatever happens."""
    yield from bps.checkpoint()
    try:
        yield from bps.pause()
    finally:
        yield from bps.null()


def without_checkpoint():
    yield from bps.clear_checkpoint()
    print("the plan waits without a checkpoint")
    yield from bps.sleep(1000)


def blocking():
    """Block the RunEngine until the gate opens."""
    yield from bps.checkpoint()
    print("the plan blocks")
    wait_at_gate()
    print("the plan blocks no more")
    yield from bps.sleep(1000)


def blocking_before_a_checkpoint():
    """Block the RunEngine until the gate opens, right before a checkpoint."""
    yield from bps.checkpoint()
    print("the plan blocks before a checkpoint")
    wait_at_gate()
    yield from bps.checkpoint()


def blocking_at_its_end():
    """Block the RunEngine until the gate opens, after the last message; a pause comes right behind it."""
    yield from bps.checkpoint()
    print("the plan blocks at its end")
    wait_at_gate()
    RE.loop.create_task(RE._request_pause_coro(False))


@plan
def slowly_made():
    """A function that is slow to make its plan."""
    print("the plan is being made")
    wait_at_gate()
    return told()


def told():
    print("the plan has begun")
    yield from bps.checkpoint()
    yield from bps.null()
    yield from bps.checkpoint()
    print("the plan has ended")


def paused_at_its_end():
    """A plan whose last message was sent when a pause is asked for."""
    yield from bps.checkpoint()
    RE.loop.create_task(RE._request_pause_coro(False))


def paused_while_tidying_up():
    yield from bps.mv(slow_to_stop, 1)


def chatty(lines=100_000):
    """Print ten megabytes, then wait."""
    yield from bps.checkpoint()
    print("the flood begins")
    for number in range(lines):
        print(f"{number:099d}")
        if number % 100 == 0:
            yield from bps.null()
    yield from bps.sleep(1000)


def quick():
    yield from bps.null()


def stuck_in_a_loop():
    print("stuck", flush=True)
    while True:
        pass


def stuck_asleep():
    print("stuck", flush=True)
    time.sleep(1e9)  # noqa: TID251 - what user code does


def stuck_in_c():
    print("stuck", flush=True)
    ctypes.PyDLL(None).sleep(1000)


def spins():
    yield from bps.null()
    stuck_in_a_loop()


def sleeps():
    yield from bps.null()
    stuck_asleep()


def holds_the_interpreter():
    yield from bps.null()
    stuck_in_c()


spins_while_made = plan(stuck_in_a_loop)
sleeps_while_made = plan(stuck_asleep)
holds_the_interpreter_while_made = plan(stuck_in_c)
