# mypy: disable-error-code="type-arg"
"""Plans whose annotations are text, as in a user's module that postpones their evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from bluesky.plan_stubs import sleep
from bluesky.protocols import Readable

if TYPE_CHECKING:
    from decimal import Decimal

    from bluesky.utils import MsgGenerator


def postponed(
    detectors: Sequence[Readable], num: int | None = None, price: Sequence[Readable] | Decimal | None = None
) -> Iterator[Any]:
    yield from (detectors, num, price)


def declared(num: int = 1) -> MsgGenerator[None]:
    return sleep(num)
