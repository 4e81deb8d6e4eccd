from __future__ import annotations

import pytest
from queueserver_standalone.configuration.redis_address import redis_url, socket_url, without_password
from queueserver_standalone.errors import StandaloneError


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("localhost", "redis://localhost"),
        ("localhost:6379", "redis://localhost:6379"),
        ("beamline-7:6380/2", "redis://beamline-7:6380/2"),
        (" 10.0.0.1 ", "redis://10.0.0.1"),
        ("[::1]:6379", "redis://[::1]:6379"),
        ("redis://user:pa%40ss@host:6379/0", "redis://user:pa%40ss@host:6379/0"),
        ("rediss://host", "rediss://host"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
        ("redis+sentinel://a,b:1/bl7/0", "redis+sentinel://a,b:1/bl7/0"),
        ("rediss+cluster://user:secret@a,b:1", "rediss+cluster://user:secret@a,b:1"),
        ("unix://user:secret@/run/redis.sock?db=1", "unix://user:secret@/run/redis.sock?db=1"),
    ],
)
def test_every_usual_form_of_an_address_becomes_a_url(typed: str, url: str) -> None:
    assert redis_url(typed) == url


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "http://host",
        "redis://",
        "host:0",
        "host:99999",
        "host:port",
        "redis://:secret@",
        "host/db",
        "unix://",
        "redis+sentinel://h",
    ],
)
def test_what_is_not_an_address_is_refused_with_the_forms_that_are(typed: str) -> None:
    with pytest.raises(StandaloneError, match="redis://user:password@host:port/db"):
        redis_url(typed)


@pytest.mark.parametrize(
    "typed",
    ["redis://h?bogus=secret", "h:1/0?db=1&bogus=secret", "unix:///s?bogus=secret", "redis+cluster://h?bogus=secret"],
)
def test_an_option_that_can_not_be_used_is_refused_by_name_and_without_its_value(typed: str) -> None:
    with pytest.raises(StandaloneError, match="'bogus', which can't be used: leave it out") as refusal:
        redis_url(typed)
    assert "secret" not in str(refusal.value)


def test_a_refusal_does_not_repeat_the_password() -> None:
    with pytest.raises(StandaloneError) as refusal:
        redis_url("redis://user:secret@host:99999")
    assert "secret" not in str(refusal.value)


def test_an_address_is_shown_without_its_password() -> None:
    assert without_password("redis://user:secret@host:6379/0") == "redis://user:***@host:6379/0"
    assert without_password("redis://:secret@host") == "redis://:***@host"
    assert without_password("redis+sentinel://u:secret@a:1,b/n") == "redis+sentinel://u:***@a:1,b/n"
    assert without_password("redis://host/1") == "redis://host/1"
    assert without_password("redis://host/1?password=secret&db=1") == "redis://host/1?password=***&db=1"
    assert without_password("unix:///run/redis?db=1&p%61ssword=a#secret") == "unix:///run/redis?db=1&p%61ssword=***"


def test_the_path_of_a_socket_is_quoted_in_its_url() -> None:
    assert socket_url("/run/my server/redis") == "unix:///run/my%20server/redis"
