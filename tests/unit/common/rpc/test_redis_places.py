"""Addresses of a Redis whose primary moves."""

from __future__ import annotations

import pytest
from queueserver_rpc.redis_places import CLUSTER, SENTINEL, Places, moves, places_of


@pytest.mark.parametrize(
    ("address", "places"),
    [
        ("redis+sentinel://a,b:1/bl7", Places(SENTINEL, False, (("a", 26379), ("b", 1)), "bl7")),
        ("rediss+sentinel://[::1]:5/b%20l/3?db=1", Places(SENTINEL, True, (("::1", 5),), "b l", 3, "", "db=1")),
        ("redis+cluster://jane:x@a,b:1", Places(CLUSTER, False, (("a", 6379), ("b", 1)), credentials="jane:x")),
        ("rediss+cluster://a/?ssl_x=1", Places(CLUSTER, True, (("a", 6379),), query="ssl_x=1")),
    ],
)
def test_an_address_says_where_to_ask_for_what(address: str, places: Places) -> None:
    assert moves(address)
    assert places_of(address) == places


@pytest.mark.parametrize("address", ["redis://a", "rediss://a,b", "unix:///a", "a:1", "redis+other://a"])
def test_other_addresses_are_none_of_these(address: str) -> None:
    assert not moves(address)
    assert places_of(address) is None


def test_each_server_has_the_options_of_the_address() -> None:
    places = places_of("rediss+sentinel://jane:x@a/bl7/2?ssl_check_hostname=false")
    assert places is not None
    assert places.url_of("h", 1) == "rediss://jane:x@h:1/2?ssl_check_hostname=false"
    assert Places(CLUSTER, False, ()).url_of("::1", 1) == "redis://[::1]:1/0"
