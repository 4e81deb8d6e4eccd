"""The names that public code imports from bluesky_queueserver: they are offered, and called in the same way."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from queueserver_environment import user_api

#: Name, kind and default of each parameter of each function and method of bluesky-queueserver 0.0.25.
THERE: dict[str, list[list[Any]]] = json.loads(
    (Path(__file__).parent / "signatures_of_0_0_25.json").read_text(encoding="utf-8")
)


def object_of(full_name: str) -> Any:
    """What stands in for a name such as "bluesky_queueserver:ZMQCommSendThreads.close"."""
    name, *inner = full_name.partition(":")[2].split(".")
    found = getattr(user_api, name)
    for attribute in inner:
        found = getattr(found, attribute)
    return found


@pytest.mark.parametrize("full_name", THERE)
def test_a_name_has_the_parameters_that_it_has_there(full_name: str) -> None:
    here = inspect.signature(object_of(full_name)).parameters.values()
    assert [
        [one.name, one.kind.name, None if one.default is one.empty else repr(one.default)] for one in here
    ] == THERE[full_name]


def test_the_stand_in_offers_every_name_where_it_is_there() -> None:
    script = (
        "import sys, json, importlib\n"
        "from queueserver_environment.user_api.compatibility import offer_package\n"
        "offer_package(); offer_package()\n"
        "for name in json.load(sys.stdin):\n"
        "    module, _, inner = name.partition(':')\n"
        "    assert getattr(importlib.import_module(module), inner.split('.')[0]) is not None\n"
        "exec('from bluesky_queueserver import *')\n"
        "assert 'ZMQCommSendThreads' in globals() and 'register_plan' in globals()\n"
        "assert sum(type(finder).__name__ == 'ShimFinder' for finder in sys.meta_path) == 1\n"
    )
    subprocess.run([sys.executable, "-c", script], input=json.dumps(list(THERE)), text=True, check=True, timeout=60)


def test_without_pyzmq_nothing_that_needs_it_is_offered() -> None:
    script = (
        "from queueserver_environment.user_api import compatibility\n"
        "compatibility.find_spec = lambda name: None\n"
        "compatibility.offer_package()\n"
        "exec('from bluesky_queueserver import *')\n"
        "assert 'register_plan' in globals() and 'ZMQCommSendThreads' not in globals()\n"
        "for wanted in ('bluesky_queueserver import validate_zmq_key', 'bluesky_queueserver.manager.comms import *'):\n"
        "    try:\n"
        "        exec(f'from {wanted}')\n"
        "    except ImportError as error:\n"
        "        assert 'offers only' in str(error), error\n"
        "    else:\n"
        "        raise AssertionError(wanted)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
