"""Devices from a happi database, for startup code. happi itself is imported only when it is used."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

_LOCAL_NAME: Final = re.compile(r"[a-z][_a-z0-9]*")
DeviceNames = Sequence["str | Sequence[str]"]


def load_devices_from_happi(device_names: DeviceNames, *, namespace: dict[str, Any], **kwargs: Any) -> list[str]:
    """Load devices from a happi database into a namespace.

    Parameters
    ----------
    device_names
        Names in the database, or pairs of the name in the database and the name to have in the namespace (lower-case
        letters, digits and underscores; empty: the same).
    namespace
        Where the devices go.
    kwargs
        More conditions of the search.

    Returns
    -------
    list of str
        Names that were put into the namespace.

    Raises
    ------
    TypeError
        The arguments are not of this form.
    RuntimeError
        There is no device of a name, or more than one.

    """
    if not isinstance(namespace, dict):
        raise TypeError(f"namespace must be a dictionary, not {type(namespace).__name__}: give for example globals()")
    names = list(_pairs(device_names))
    from happi import Client, load_devices  # type: ignore[import-not-found, unused-ignore] # noqa: PLC0415 - optional

    client = Client.from_config()
    found = [_named(_the_only(client, stored, kwargs), local) for stored, local in names]
    devices = vars(load_devices(*(result.item for result in found)))
    namespace.update(devices)
    return list(devices)


def _pairs(device_names: DeviceNames) -> Iterator[tuple[str, str]]:
    if not isinstance(device_names, (list, tuple)):
        raise TypeError(f"device_names must be a list, not {type(device_names).__name__}: put the name into brackets")
    for number, name in enumerate(device_names):
        if isinstance(name, str):
            yield name, ""
            continue
        is_pair = isinstance(name, (list, tuple)) and len(name) == 2  # noqa: PLR2004 - a pair
        if not is_pair or not all(isinstance(part, str) for part in name):
            raise TypeError(
                f"device_names[{number}] is {name!r}: give a name, or a pair like ('abc_det', 'det') of the name in "
                "the database and the name to have here"
            )
        stored, local = name
        if local and not _LOCAL_NAME.fullmatch(local):
            raise TypeError(
                f"{stored} can't be renamed to {local!r}: use lower-case letters, digits and _, beginning with a letter"
            )
        yield stored, local


def _the_only(client: Any, name: str, conditions: dict[str, Any]) -> Any:
    found = client.search(**{**conditions, "name": name})
    if len(found) != 1:
        number = "no device" if not found else f"{len(found)} devices"
        raise RuntimeError(f"happi has {number} with name={name!r} and {conditions}: correct the name or the search")
    return found[0]


def _named(result: Any, local: str) -> Any:
    """Give a search result another name, from which happi makes the device; the database is not touched."""
    if local:
        # happi has no public way; versions before 1.14 use _device.
        item = getattr(result, "_item", None) or result._device  # noqa: SLF001
        item.name = local
        result.metadata["name"] = local
    return result
