"""The inverse of the environment's encoder, for tests: what a client reads from a DataValue."""

from typing import Any

import numpy as np
from queueserver.common.v1.value_pb2 import DataValue


def decode(value: DataValue) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "list":
        return [decode(element) for element in value.list.values]
    if kind == "map":
        return {key: decode(element) for key, element in value.map.entries.items()}
    if kind == "array":
        flat = np.frombuffer(value.array.data, dtype=np.dtype(value.array.dtype))
        return flat.reshape(tuple(value.array.shape))
    if kind == "big_integer":
        return int(value.big_integer)
    return None if kind in (None, "null") else getattr(value, kind)
