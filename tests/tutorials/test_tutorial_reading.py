"""How a tutorial is read: which blocks are steps, and when an output has the shape that the page shows."""

from __future__ import annotations

import pytest

from tests.tutorials.reading import Typed, Written, steps_of
from tests.tutorials.shape import Shapes

ONE, TWO = "0abdcde6-530f-489c-9151-fa6ead7628ec", "d3fdc80b-43b8-4fca-a33c-ed8952945613"
HERE, THERE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
PAGE = """
# A page

```sh title="server"
start-re-manager
```

```text
Ready
```

Write a file:

```python title="more.py"
x = 1
```

```sh
qserver status
```
"""


def test_a_page_is_what_is_typed_where_what_comes_out_and_what_is_written() -> None:
    assert steps_of(PAGE) == [
        Typed(4, "server", "start-re-manager\n", "Ready\n"),
        Written(14, "more.py", "x = 1\n"),
        Typed(18, "", "qserver status\n"),
    ]


@pytest.mark.parametrize("block", ["```text\nlost\n```\n", "```python\nx = 1\n```\n", "```json\n{}\n```\n"])
def test_a_block_that_is_no_step_is_an_error(block: str) -> None:
    with pytest.raises(ValueError, match="line 24"):
        steps_of(f"{PAGE}\n\nA sentence.\n{block}")


@pytest.mark.parametrize(
    ("said", "output"),
    [
        ("'status': 'idle'", "'status':   'idle'  "),
        ("09:43:01 - MESSAGE:", "23:59:59 - MESSAGE: "),
        ("[I 2026-11-30 09:42:50,373 …] Ready", "[I 2027-01-02 00:00:00,001 queueserver] Ready"),
        ("'time_start': 1796031785.249059,", "'time_start': 1800000000.1,"),
        ("on 127.0.0.1:60630", "on 127.0.0.1:1234"),
        ("first\n…\nlast", "first\nlast"),
        ("first\n…\nlast", "first\nsecond\nthird\nlast"),
        ("…", "anything\nat all"),
        ("plain", "\x1b[33mplain\x1b[0m"),
        (f"{ONE} {ONE} {TWO}", f"{HERE} {HERE} {THERE}"),
    ],
)
def test_what_is_the_same_each_time_is_compared_and_the_rest_by_its_kind(said: str, output: str) -> None:
    assert Shapes().fits(said, output)


@pytest.mark.parametrize(
    ("said", "output"),
    [
        ("'qsize': 1", "'qsize': 2"),
        ("'qsize': 1", "'qsize': 1,"),
        ("first\nlast", "first\nsecond\nlast"),
        ("first\n…", "second"),
        ("09:43:01", "soon"),
        (f"{ONE}", "none"),
        (f"{ONE} {ONE}", f"{HERE} {THERE}"),
        (f"{ONE} {TWO}", f"{HERE} {HERE}"),
        ("", "something"),
    ],
)
def test_what_differs_does_not_fit(said: str, output: str) -> None:
    assert not Shapes().fits(said, output)


def test_a_uid_stands_for_the_same_one_on_the_whole_page_and_in_commands() -> None:
    shapes = Shapes()
    assert shapes.fits(f"'item_uid': '{ONE}'", f"'item_uid': '{HERE}'")
    assert shapes.command(f"qserver queue item remove {ONE}") == f"qserver queue item remove {HERE}"
    assert not shapes.fits(ONE, THERE)
    assert not shapes.fits(TWO, HERE)
    assert shapes.fits(TWO, THERE)


def test_a_command_with_a_uid_that_was_not_shown_is_an_error() -> None:
    with pytest.raises(KeyError):
        Shapes().command(f"qserver queue item remove {ONE}")


def test_a_page_says_by_what_comes_out_that_a_command_fails() -> None:
    assert Typed(1, "", "", " 'success': False}").fails
    assert not Typed(1, "", "", " 'success': True}").fails
    assert not Typed(1, "", "").fails
