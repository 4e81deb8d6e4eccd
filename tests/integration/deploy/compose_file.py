"""docker-compose.yml and the Dockerfiles as data, with variables replaced as compose replaces them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.harness.services import REPOSITORY

COMPOSE = REPOSITORY / "docker-compose.yml"
EXAMPLE = REPOSITORY / ".env.example"
#: What is installed in the image of a service; the last is where its Dockerfile is.
MEMBERS = {
    "manager": ["protos", "services/common", "services/manager"],
    "worker": ["protos", "services/common", "services/environment", "services/worker"],
    "qserver": ["protos", "clients/python", "clients/import", "clients/cli"],
    "zmq-bridge": ["protos", "services/common", "clients/python", "services/zmq_bridge"],
}
#: The only form that is used, because every program that reads such files understands it.
_VARIABLE = re.compile(r"\$\{(\w+):-([^${}]*)\}")
_EXAMPLE_LINE = re.compile(r"^#(QSERVER_\w+)=(.*)$", re.MULTILINE)


def composition(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The file with its variables replaced."""
    found: dict[str, Any] = _replaced(yaml.safe_load(COMPOSE.read_text("utf-8")), environment or {})
    return found


def variables() -> dict[str, set[str]]:
    """Variables of the file, with the defaults that it has for each."""
    found: dict[str, set[str]] = {}
    for text in _texts(yaml.safe_load(COMPOSE.read_text("utf-8"))):
        rest = _VARIABLE.sub("", text)
        assert "$" not in rest, f"another form than ${{NAME:-default}}: {text}"
        for name, default in _VARIABLE.findall(text):
            found.setdefault(name, set()).add(default)
    return found


def documented() -> list[tuple[str, str]]:
    """Variables of .env.example, in order, with the defaults that it says."""
    return _EXAMPLE_LINE.findall(EXAMPLE.read_text("utf-8"))


def dockerfile(service: str) -> str:
    """The Dockerfile of a service, with continued lines joined."""
    return (REPOSITORY / MEMBERS[service][-1] / "Dockerfile").read_text("utf-8").replace("\\\n", " ")


def words_of(service: str, instruction: str) -> list[str]:
    """The words of an instruction that is written as a list."""
    (found,) = re.findall(rf"^{instruction}\b[^\[\n]*(\[.*\])$", dockerfile(service), re.MULTILINE)
    words: list[str] = json.loads(found)
    return words


def _replaced(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: environment.get(found[1]) or found[2], value)
    if isinstance(value, list):
        return [_replaced(one, environment) for one in value]
    if isinstance(value, dict):
        return {name: _replaced(one, environment) for name, one in value.items()}
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(one)
