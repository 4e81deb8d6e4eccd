"""The page docs/how-to/coming-from-bluesky-queueserver.md: its commands do what it says."""

from __future__ import annotations

import re
import shlex

import pytest
from queueserver_client import Client

from tests.harness.services import REPOSITORY
from tests.harness.stack import Stack
from tests.integration.import_state.conftest import Import, OldRedis

PAGE = (REPOSITORY / "docs/how-to/coming-from-bluesky-queueserver.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line) for line in re.findall(r"^qserver-import .*$", PAGE, re.MULTILINE)]
(SHOWN,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def as_on_the_page(text: str, old_redis: OldRedis, address: str) -> list[str]:
    """Words of what was printed, with the places that the page names."""
    place = old_redis.url.removeprefix("unix://")
    return text.replace(place, "localhost:6379").replace(address, "127.0.0.1:60630").split()


def test_the_commands_of_the_page_show_and_import_what_it_says(
    old_redis: OldRedis, target: Stack, client: Client, run_import: Import
) -> None:
    assert [command[:3] for command in COMMANDS] == [["qserver-import", "--redis-addr", "localhost:6379"]] * 2
    shown = run_import(*COMMANDS[0][3:], address=target.address)
    assert as_on_the_page(shown.stdout, old_redis, target.address) == SHOWN.split()
    assert run_import(*COMMANDS[1][3:], address=target.address).returncode == 0
    assert client.status().items_in_queue == 9


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[a-z-]+)", PAGE))))
def test_the_command_has_every_option_that_the_page_names(option: str, run_import: Import) -> None:
    assert option in run_import("--help").stdout
