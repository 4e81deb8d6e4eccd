"""The environments: which Python, and what is installed there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One environment."""

    name: str
    #: Major and minor version.
    python: str
    #: Requirements, as pip takes them.
    packages: tuple[str, ...]
    #: Whether the demo's devices, which are of ophyd, can be there.
    has_ophyd: bool = True
    #: Whether CI tries it: together they have each version and each companion once or twice.
    in_ci: bool = False


_OPHYD = "ophyd"
# Old releases of ophyd and of what it brings don't know NumPy 2.
_OLD_NUMPY = "numpy<2"

CELLS: tuple[Cell, ...] = (
    Cell("oldest", "3.10", ("bluesky==1.10.*", "ophyd==1.9.*", _OLD_NUMPY), in_ci=True),
    Cell("oldest, newer Python", "3.11", ("bluesky==1.10.*", _OPHYD, _OLD_NUMPY)),
    Cell(
        "old protobuf and grpcio", "3.10", ("bluesky==1.12.*", _OPHYD, "protobuf==3.20.*", "grpcio==1.48.*", _OLD_NUMPY)
    ),
    Cell("pydantic 1", "3.11", ("bluesky==1.12.*", _OPHYD, "pydantic==1.10.*", _OLD_NUMPY)),
    Cell("old protobuf, newer bluesky", "3.12", ("bluesky==1.13.*", _OPHYD, "protobuf==3.20.*"), in_ci=True),
    Cell("IPython 8", "3.11", ("bluesky==1.13.*", _OPHYD, "ipython==8.*", "matplotlib")),
    Cell("without ophyd", "3.12", ("bluesky==1.13.*",), has_ophyd=False),
    Cell("ophyd-async 0.9", "3.11", ("bluesky==1.13.*", _OPHYD, "ophyd-async==0.9.*")),
    Cell("bluesky 1.14", "3.10", ("bluesky==1.14.*", _OPHYD)),
    Cell("bluesky 1.14, pydantic 1", "3.12", ("bluesky==1.14.*", _OPHYD, "pydantic==1.10.*")),
    Cell("IPython 9", "3.13", ("bluesky==1.14.*", _OPHYD, "ipython==9.*", "matplotlib")),
    Cell("bluesky-queueserver", "3.11", ("bluesky==1.14.*", _OPHYD, "bluesky-queueserver"), in_ci=True),
    Cell("newest, oldest Python", "3.10", ("bluesky", _OPHYD)),
    Cell("newest", "3.13", ("bluesky", _OPHYD, "ophyd-async", "databroker"), in_ci=True),
    Cell("newest, without ophyd", "3.12", ("bluesky",), has_ophyd=False, in_ci=True),
    Cell("newest Python", "3.14", ("bluesky", _OPHYD)),
)
