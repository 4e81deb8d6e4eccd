# Demo startup code of the queue server, part 1: simulated devices. No hardware and no control system is needed.
#
# Every *.py file of this folder is executed in alphabetical order, all in one namespace; what is defined here can be
# used in the files that follow and by the plans in the queue. To make it yours, copy the folder and start with
#     start-re-manager --startup-dir YOUR_FOLDER
# No RunEngine is made here: the environment makes one under the name RE if startup code does not.

import asyncio
import time as ttime

from ophyd import Component as Cpt
from ophyd import Device, Signal
from ophyd.sim import (
    SynAxis,
    SynGauss,
    ab_det,
    bool_sig,
    det,
    det1,
    det2,
    det3,
    det4,
    det5,
    det_with_conf,
    det_with_count_time,
    direct_img,
    direct_img_list,
    flyer1,
    flyer2,
    identical_det,
    invariant1,
    invariant2,
    jittery_motor1,
    jittery_motor2,
    motor,
    motor1,
    motor2,
    motor3,
    motor_empty_hints1,
    motor_empty_hints2,
    motor_no_hints1,
    motor_no_hints2,
    motor_no_pos,
    new_trivial_flyer,
    noisy_det,
    pseudo1x3,
    pseudo3x3,
    rand,
    rand2,
    sig,
    signal,
    trivial_flyer,
)


class SimStage(Device):
    """Three motors that belong together: bundle.mtrs.x is one of them."""

    x = Cpt(SynAxis, name="x", labels={"motors"})
    y = Cpt(SynAxis, name="y", labels={"motors"})
    z = Cpt(SynAxis, name="z", labels={"motors"})


class SimDetectors(Device):
    """Two point detectors that watch the motors of the demo."""

    det_A = Cpt(SynGauss, name="det_A", motor=motor1, motor_field="motor1", center=0, Imax=5, sigma=0.5)
    det_B = Cpt(SynGauss, name="det_B", motor=motor2, motor_field="motor2", center=1, Imax=2, sigma=2)


class SimBundle(Device):
    """An end station in small: a stage, detectors and a gain, each of them usable by its dotted name."""

    mtrs = Cpt(SimStage, name="mtrs")
    dets = Cpt(SimDetectors, name="dets")
    gain = Cpt(Signal, value=1.0)


sim_bundle_A = SimBundle(name="sim_bundle_A")
sim_bundle_B = SimBundle(name="sim_bundle_B")


try:
    from ophyd_async.core import StandardReadable, StandardReadableFormat, soft_signal_rw
except ImportError:
    print("ophyd-async is not installed: the demo has no async_sample")
else:

    class SoftSample(StandardReadable):
        """An ophyd-async device: temperature and position of a sample, kept in memory."""

        def __init__(self, name: str = "") -> None:
            with self.add_children_as_readables(StandardReadableFormat.HINTED_SIGNAL):
                self.temperature = soft_signal_rw(float, 295.0, units="K", precision=2)
                self.position = soft_signal_rw(float, 0.0, units="mm", precision=3)
            super().__init__(name=name)

    async_sample = SoftSample(name="async_sample")
    # Signals in memory need no event loop of their own. Devices on a control system connect with
    # `with init_devices():` from ophyd_async.core, which works here as well.
    asyncio.run(async_sample.connect())
