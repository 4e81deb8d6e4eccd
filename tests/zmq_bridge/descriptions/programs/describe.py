"""Runs in the environment of bluesky-queueserver: prints what it makes of a startup directory, as JSON."""

import json
import pathlib
import subprocess
import sys
import tempfile

import yaml
from bluesky_queueserver.manager.profile_ops import load_allowed_plans_and_devices

startup = pathlib.Path(sys.argv[1])
with tempfile.TemporaryDirectory() as directory:
    lists = pathlib.Path(directory) / "lists.yaml"
    subprocess.run(
        [
            *(pathlib.Path(sys.executable).with_name("qserver-list-plans-devices"), "--startup-dir", startup),
            *("--file-dir", lists.parent, "--file-name", lists.name, "--ignore-invalid-plans", "ON"),
        ],
        check=True,
        stdout=sys.stderr,
    )
    existing = yaml.safe_load(lists.read_text())
    plans, devices = load_allowed_plans_and_devices(
        path_existing_plans_and_devices=str(lists),
        path_user_group_permissions=str(startup / "user_group_permissions.yaml"),
    )
found = {"plans_existing": existing["existing_plans"], "devices_existing": existing["existing_devices"]}
for group in plans:
    found[f"plans_allowed:{group}"] = plans[group]
    found[f"devices_allowed:{group}"] = devices[group]
sys.stdout.write(json.dumps(found))
