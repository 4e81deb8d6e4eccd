"""Catalogs and clients of recorded data have what a detector has, and are not devices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from queueserver_environment.describe.devices import is_device, is_device_class


class Readable:
    """The least that Bluesky asks of what can be read."""

    name = "something"

    def read(self) -> dict[str, Any]:
        return {}

    def describe(self) -> dict[str, Any]:
        return {}


class Catalog(Readable, Mapping[str, object]):
    """Entries by name, as those of databroker, intake and Tiled."""

    def __getitem__(self, key: str) -> object:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Bank(Catalog):
    """A device that gives its channels by name."""

    def trigger(self) -> None:
        pass


class Group(Catalog):
    """A group of devices, as DeviceVector of ophyd-async."""

    def children(self) -> Iterator[tuple[str, object]]:
        return iter(())

    async def connect(self) -> None:
        pass


@pytest.mark.parametrize("module", ["intake.source.base", "databroker.v1", "tiled.client.array", "intake"])
def test_what_is_made_from_a_library_for_data_is_no_device(module: str) -> None:
    base = type("DataSource", (Readable,), {"__module__": module})
    mine = type("MyCatalog", (base,), {"__module__": "beamline"})
    for cls in (base, mine):
        assert not is_device(cls())
        assert not is_device_class(cls)


def test_a_mapping_that_can_only_be_read_and_described_is_no_device() -> None:
    assert (is_device(Catalog()), is_device_class(Catalog)) == (False, False)


@pytest.mark.parametrize("cls", [Readable, Bank, Group])
def test_what_a_device_needs_or_only_a_device_has_makes_one(cls: type) -> None:
    assert (is_device(cls()), is_device_class(cls)) == (True, True)
