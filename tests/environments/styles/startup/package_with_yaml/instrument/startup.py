"""Everything that a session needs, by `from instrument.startup import *`."""

import logging

import databroker
from bluesky import RunEngine, SupplementalData
from bluesky.callbacks.best_effort import BestEffortCallback
from bluesky_queueserver import is_re_worker_active

from .loading import make_devices, read

logger = logging.getLogger(__name__)
logger.info("Starting instrument")

settings = read("settings.yml")
RE = RunEngine(dict(settings["run_engine"]["metadata"], scan_id=settings["run_engine"]["scan_id"]))
sd = SupplementalData()
RE.preprocessors.append(sd)
bec = BestEffortCallback()
RE.subscribe(bec)
cat = databroker.temp().v2
RE.subscribe(cat.v1.insert)

if is_re_worker_active():
    from bluesky.plans import count, scan
else:
    from bluesky import plan_stubs as bps
    from bluesky import plans as bp

from .plans import two_counts

make_devices(settings["devices"])


def runs_are_in_the_catalog():
    """Tell whether runs can be read again."""
    run = cat[-1]
    return run.metadata["start"]["institution"] == "made up" and run.primary.read()["monitor"].values[0] == 7.25
