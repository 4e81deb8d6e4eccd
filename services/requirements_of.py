"""Print what services need from elsewhere, one requirement a line: ``requirements_of.py DIRECTORY[EXTRA,…] …``.

The images install these before the sources are there, so that a change of the sources downloads nothing again. Which
versions are taken is decided by requirements.lock.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # before Python 3.11, which only tests use
    import tomli as tomllib

#: Packages of this repository begin with it.
_OURS = "queueserver-"


def requirements_of(member: str) -> Iterator[str]:
    """Requirements of a directory with a pyproject.toml, with those of the extras behind it in brackets."""
    directory, _, extras = member.partition("[")
    project = tomllib.loads(Path(directory, "pyproject.toml").read_text("utf-8"))["project"]
    yield from project["dependencies"]
    for extra in filter(None, extras.rstrip("]").split(",")):
        yield from project["optional-dependencies"][extra]


if __name__ == "__main__":
    found = {line for member in sys.argv[1:] for line in requirements_of(member) if not line.startswith(_OURS)}
    sys.stdout.writelines(f"{line}\n" for line in sorted(found))
