"""The reasons of the contract: each has a code and is used, and nothing else is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from queueserver.common.v1.error_reason_pb2 import ErrorReason
from queueserver_rpc.reasons import code_of, name_of, refused

from tests.harness.services import REPOSITORY

SOURCES = [path for part in ("services", "clients") for path in sorted(REPOSITORY.glob(f"{part}/*/src/**/*.py"))]
PROTOS = sorted((REPOSITORY / "protos/queueserver").glob("**/*.proto"))
REASONS = {name_of(number): code_of(number) for number in ErrorReason.values() if number}
MAKER = REPOSITORY / "services/common/src/queueserver_rpc/reasons.py"


def trees(paths: list[Path]) -> Iterator[tuple[Path, ast.AST]]:
    for path in paths:
        yield path, ast.parse(path.read_text())


def of_services(tree: ast.AST) -> set[str]:
    """Reasons that are named by the values of the enum."""
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return {name.removeprefix("ERROR_REASON_") for name in names if name.startswith("ERROR_REASON_")}


def of_clients(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Reason and code of each refusal that a client makes itself; the code is empty where it is worked out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
            given = dict(zip(("code", "reason"), node.args, strict=False)) | {
                k.arg or "": k.value for k in node.keywords
            }
            code, reason = given["code"], given["reason"]
            if isinstance(reason, ast.Constant) and reason.value:
                yield str(reason.value), code.attr if isinstance(code, ast.Attribute) else ""
        if isinstance(node, ast.Dict):
            written = {
                str(key.value): str(value.value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
            }
            if {"code", "reason"} <= written.keys():
                yield written["reason"], written["code"]


def compared(tree: ast.AST) -> Iterator[str]:
    """Texts that the reason of an error is compared with."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Attribute) and side.attr == "reason" for side in sides):
            for side in sides:
                yield from (str(each.value) for each in ast.walk(side) if isinstance(each, ast.Constant))


@pytest.mark.parametrize("number", [number for number in ErrorReason.values() if number], ids=ErrorReason.Name)
def test_a_refusal_for_a_reason_has_its_name_and_the_code_that_the_contract_writes_beside_it(
    number: ErrorReason.ValueType,
) -> None:
    refusal = refused(number, "A sentence.")
    assert f"ERROR_REASON_{refusal.reason}" == ErrorReason.Name(number)
    assert refusal.code is not grpc.StatusCode.OK


def test_every_reason_of_the_contract_is_used_and_clients_use_no_other_and_no_other_code() -> None:
    used: set[str] = set()
    for path, tree in trees(SOURCES):
        used |= of_services(tree)
        if path.is_relative_to(REPOSITORY / "clients"):
            made = dict(of_clients(tree))
            assert {reason: code for reason, code in made.items() if code and code != REASONS[reason].name} == {}
            used |= made.keys()
    assert used == REASONS.keys()


def test_services_make_refusals_only_of_reasons_of_the_contract() -> None:
    for path, tree in trees(
        [path for path in SOURCES if path.is_relative_to(REPOSITORY / "services") and path != MAKER]
    ):
        imported = [
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "queueserver_rpc.status"
            for alias in node.names
        ]
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Refusal"]
        assert not ("Refusal" in imported and made), path


def test_only_reasons_of_the_contract_are_looked_for() -> None:
    looked_for = {text: path for path, tree in trees(SOURCES) for text in compared(tree)}
    # One name of an attribute has other texts as well: where an event stopped the queue, for example.
    assert {text: path for text, path in looked_for.items() if text.isupper() and text not in REASONS} == {}
    assert {"ENVIRONMENT_EXISTS", "UNREACHABLE"} <= looked_for.keys()


def comment_of(proto: Path) -> str:
    """All comments of a file as one text."""
    lines = [line.strip() for line in proto.read_text().splitlines()]
    return " ".join(line[2:].strip() or "." for line in lines if line.startswith("//"))


def promised(text: str) -> Iterator[tuple[str, str]]:
    """Code and reason of what comments promise: "NOT_FOUND with reason A (…), B or C; …"."""
    for clause in re.split("[;.]", re.sub(r"\([^()]*\)", "", text)):
        code = ""
        for word, begins in re.findall(r"\b([A-Z]{2,}(?:_[A-Z]+)*)\b((?: with|,) reason\b)?", clause):
            if begins and word in grpc.StatusCode.__members__:
                code = word
            elif code and ("_" in word or word in REASONS):
                yield code, word


@pytest.mark.parametrize("proto", PROTOS, ids=lambda path: path.name)
def test_comments_of_the_contract_promise_each_reason_with_its_code(proto: Path) -> None:
    for code, reason in promised(comment_of(proto)):
        assert REASONS[reason].name == code, reason


def test_promises_are_found() -> None:
    text = (
        "NOT_FOUND with reason PLAN_GONE (if B; or C), PLAN_OLD or PLAN_NEW or ABORTED, reason INTERNAL, whose; UTF_X"
    )
    assert list(promised(text)) == [
        ("NOT_FOUND", "PLAN_GONE"),
        ("NOT_FOUND", "PLAN_OLD"),
        ("NOT_FOUND", "PLAN_NEW"),
        ("ABORTED", "INTERNAL"),
    ]
    assert sum(len(list(promised(comment_of(proto)))) for proto in PROTOS) > 100
