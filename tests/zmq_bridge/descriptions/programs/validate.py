"""Runs in the environment of bluesky-queueserver: which items it accepts with given lists of plans and devices."""

import json
import sys

from bluesky_queueserver import validate_plan

given = json.load(sys.stdin)
sys.stdout.write(
    json.dumps(
        [
            validate_plan(item, allowed_plans=given["plans"], allowed_devices=given["devices"])[0]
            for item in given["items"]
        ]
    )
)
