def metadata_is_kept_in_redis():
    """Tell whether what a session knows is in Redis."""
    from redis import Redis
    from redis_json_dict import RedisJSONDict

    import os

    kept = RedisJSONDict(Redis.from_url(os.environ["STYLES_REDIS_URL"]), prefix="bl99:")
    return kept["beamline"] == "bl99" and kept["facility"] == "made up" and kept["scan_id"] >= 1


def runs_are_in_tiled():
    """Tell whether each run is in Tiled, with its readings."""
    uid = list(tiled_client)[-1]
    run = tiled_client[uid]
    return run.metadata["start"]["uid"] == uid and run.metadata["stop"]["exit_status"] == "success"
