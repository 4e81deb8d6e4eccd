"""The example on the page about describing plans is true."""

import re
from typing import Any

from queueserver_environment import user_api
from queueserver_environment.describe.inventory import take_inventory
from queueserver_environment.plans.arguments import bind
from queueserver_environment.plans.names import Names
from queueserver_environment.user_api.annotation_decorator import ATTRIBUTE
from queueserver_environment.user_api.registration import clear_registrations

from tests.harness.services import REPOSITORY
from tests.unit.common.inventory.type_notation import shown

PAGE = REPOSITORY / "docs" / "how-to" / "describing-plans.md"


def example() -> dict[str, Any]:
    """Execute the page's example; in an environment its import from bluesky_queueserver leads to the same place."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    namespace: dict[str, Any] = {"__name__": "example"}
    exec(code.replace("from bluesky_queueserver import", f"from {user_api.__name__} import"), namespace)  # noqa: S102 - our page
    return namespace


def test_the_example_is_described_as_the_page_says() -> None:
    inventory = take_inventory(example())
    clear_registrations()
    assert not inventory.issues
    types = {plan.name: {p.name: shown(p.type) for p in plan.parameters} for plan in inventory.plans}
    assert types == {
        "align": {
            "detectors": "list(device:Readable)",
            "motor": "device:Movable",
            "width": "number",
            "mode": "enum Mode[fast, slow]",
            "md": "map | none",
        },
        "measure": {
            "x": "list(number)",
            "detectors": "list(device Detectors[det1, det2])",
            "then": "plan After[align] | none",
            "shutter": "enum State[open, closed]",
        },
    }
    components = {device.name: len(device.components) for device in inventory.devices}
    assert components["motor1"] > 0
    assert components["motor2"] == 0


def test_names_of_the_example_convert_as_the_page_says() -> None:
    namespace = example()
    clear_registrations()
    names = Names(namespace)
    align = bind(namespace["align"], [["det1"], "motor1"], {"mode": "slow"}, names).arguments
    assert align == {
        "detectors": [namespace["det1"]],
        "motor": namespace["motor1"],
        "mode": namespace["Mode"].SLOW,
    }
    measure = bind(namespace["measure"], [[1.5]], {"then": "align"}, names).arguments
    assert measure == {"x": [1.5], "then": namespace["align"], "detectors": [namespace["det1"]]}


def test_the_page_names_every_key_of_the_decorator() -> None:
    page = PAGE.read_text()
    said = getattr(example()["measure"], ATTRIBUTE)
    clear_registrations()
    assert said["parameters"]["x"]["unit"] == "mm"
    for key in ("annotation", "devices", "plans", "enums", "default", "min", "max", "step", "unit"):
        assert f"`{key}`" in page
