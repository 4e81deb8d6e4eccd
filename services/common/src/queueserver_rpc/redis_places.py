"""Addresses of a Redis whose primary moves: it is found through Sentinels, or through the nodes of a cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

SENTINEL, CLUSTER = "sentinel", "cluster"
FORMS = "redis+sentinel://host1,host2,host3/primary-name/db or redis+cluster://host1,host2"
_PORTS = {SENTINEL: 26379, CLUSTER: 6379}
_HIGHEST_PORT = 65535
_FORM = re.compile(r"(redis|rediss)\+(sentinel|cluster)://(?:([^/?#@]*)@)?([^/?#@]+)(/[^?#]*)?(?:\?([^#]*))?")
_PLACE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Places:
    """Where to ask for the primary."""

    kind: str
    encrypted: bool
    hosts: tuple[tuple[str, int], ...]
    #: Name of the primary, as the Sentinels know it.
    name: str = ""
    database: int = 0
    #: User and password as they are in the URL, with a colon between them; and what is behind the question mark.
    credentials: str = ""
    query: str = ""

    def url_of(self, host: str, port: int) -> str:
        """Address of one of the servers, with the same options."""
        user = f"{self.credentials}@" if self.credentials else ""
        place = f"[{host}]" if ":" in host else host
        options = f"?{self.query}" if self.query else ""
        return f"redis{'s' if self.encrypted else ''}://{user}{place}:{port}/{self.database}{options}"


def moves(address: str) -> bool:
    """Whether an address is meant to be one of these."""
    return address.partition("://")[0].partition("+")[2] in _PORTS


def places_of(address: str) -> Places | None:
    """What the address says; None if it can't be understood."""
    form = _FORM.fullmatch(address)
    if form is None:
        return None
    scheme, kind, credentials, listed, path, query = form.groups()
    hosts = [_place(one, _PORTS[kind]) for one in listed.split(",")]
    name, _, database = (path or "").strip("/").partition("/")
    if (kind == CLUSTER and (name or database)) or (kind == SENTINEL and not name):
        return None
    if any(host is None for host in hosts) or not (database or "0").isdigit():
        return None
    found = tuple(host for host in hosts if host is not None)
    return Places(kind, scheme == "rediss", found, unquote(name), int(database or 0), credentials or "", query or "")


def _place(text: str, port: int) -> tuple[str, int] | None:
    place = _PLACE.fullmatch(text)
    if place is None or not 0 < int(place[3] or port) <= _HIGHEST_PORT:
        return None
    return place[1] or place[2], int(place[3] or port)
