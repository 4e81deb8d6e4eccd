"""How long the description of one plan or device may be: every gRPC client accepts a response with it."""

from __future__ import annotations

from typing import Final

MAX_PLAN_BYTES: Final = 2 * 1024 * 1024
MAX_DEVICE_BYTES: Final = 3 * 1024 * 1024
