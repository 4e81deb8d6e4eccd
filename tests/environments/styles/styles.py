"""The styles: where their startup code is, what it needs, and what it offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_STARTUP = Path(__file__).parent / "startup"
_OPHYD = ("bluesky", "ophyd", "matplotlib")


@dataclass(frozen=True, slots=True)
class Style:
    """Startup code in one style."""

    name: str
    #: A directory, or a script.
    startup: Path
    #: Requirements, as pip takes them.
    packages: tuple[str, ...]
    plans: frozenset[str]
    devices: frozenset[str]
    #: What is counted.
    detector: str
    #: Functions of the startup code that tell whether all is as the code means it: they return True when it is.
    checks: tuple[str, ...] = ()
    #: Variables of the environment.
    variables: Mapping[str, str] = field(default_factory=dict)
    #: Texts that the progress of the opening shows.
    progress: tuple[str, ...] = ()
    #: Devices that are looked at are these and no others, at least.
    most_devices: int = 0


def silent(control_layer: str, package: str) -> Style:
    """EPICS signals of which none connects, by one of the two clients."""
    return Style(
        f"silent EPICS, {control_layer}",
        _STARTUP / "silent_epics",
        (*_OPHYD, package),
        frozenset({"count", "scan"}),
        frozenset({"det", "motor", "crate_00", "crate_29", "front_end", "lonely_0"}),
        "det",
        ("nothing_is_connected",),
        {"OPHYD_CONTROL_LAYER": control_layer},
        ("loading 20-crates.py: waiting", " signals connected, missing ", "did not connect ("),
        most_devices=30,
    )


STYLES: tuple[Style, ...] = (
    Style(
        "numbered files",
        _STARTUP / "numbered_files",
        (*_OPHYD, "ophyd-async[ca]", "redis-json-dict", "tiled[all]", "bluesky-tiled-plugins"),
        frozenset({"count", "align_stage", "take_dark"}),
        frozenset({"diode", "stage", "shutter"}),
        "diode",
        ("metadata_is_kept_in_redis", "runs_are_in_tiled"),
    ),
    Style(
        "package with YAML",
        _STARTUP / "package_with_yaml" / "start.py",
        (*_OPHYD, "databroker[all]", "pyyaml"),
        frozenset({"count", "two_counts"}),
        frozenset({"sample_x", "sample_y", "monitor", "table"}),
        "monitor",
        ("runs_are_in_the_catalog",),
    ),
    Style(
        "script",
        _STARTUP / "script" / "start.py",
        _OPHYD,
        frozenset({"count", "sweep"}),
        frozenset({"det", "motor"}),
        "det",
    ),
    silent("pyepics", "pyepics"),
    silent("caproto", "caproto"),
)
