"""Make devices from YAML, and put them where people look for them."""

import importlib
import sys
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent


def read(name):
    """Read a YAML file of this package."""
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


def make_devices(name):
    """Make the devices that a file lists, as names of `__main__`."""
    main = sys.modules["__main__"]
    made = {}
    for path, listed in read(name).items():
        module, _, cls = path.rpartition(".")
        for settings in listed:
            made[settings["name"]] = getattr(importlib.import_module(module), cls)(**settings)
    for each in made.items():
        setattr(main, *each)
    return made
