"""What a facility shares between its beamlines: one call that makes what each profile needs."""

import os

import redis
from bluesky import RunEngine, SupplementalData
from bluesky.callbacks.best_effort import BestEffortCallback
from redis_json_dict import RedisJSONDict


def configure_base(user_ns, beamline, *, bec=True, magics=True):
    """Put a RunEngine and what belongs to it into the namespace of a session."""
    metadata = RedisJSONDict(redis.Redis.from_url(os.environ["STYLES_REDIS_URL"]), prefix=f"{beamline}:")
    metadata["beamline"] = beamline
    engine = RunEngine(metadata)
    names = {"RE": engine, "sd": SupplementalData()}
    engine.preprocessors.append(names["sd"])
    if bec:
        names["bec"] = BestEffortCallback()
        engine.subscribe(names["bec"])
    if magics:
        from IPython import get_ipython

        get_ipython().run_line_magic("matplotlib", "inline")
    import bluesky.plan_stubs
    import bluesky.plans

    names.update(bp=bluesky.plans, bps=bluesky.plan_stubs, count=bluesky.plans.count)
    user_ns.update(names)
    return list(names)
