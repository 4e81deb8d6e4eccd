"""Each method responds with its own message, also where another one would have the same bytes today."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import queueserver_manager.rpc.servicers
from queueserver.manager.v1 import queue_execution_pb2, run_engine_service_pb2
from queueserver_manager.rpc.replies import empty_answer, revision_answer

SERVICERS = sorted(Path(*queueserver_manager.rpc.servicers.__path__).glob("[!_]*.py"))


def made_by(node: ast.AST) -> Iterator[str]:
    """Names of the responses that are made there."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr.endswith("Response"):
            yield call.func.attr


def methods_of(module: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Each method of the contract, with the responses that it and the helpers of its module that it uses make."""
    helpers = {
        node.name: set(made_by(node)) for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
            used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
            yield node.name, set(made_by(node)).union(*(helpers.get(name, ()) for name in used))


@pytest.mark.parametrize("path", SERVICERS, ids=lambda path: path.stem)
def test_a_method_makes_no_response_of_another_one(path: Path) -> None:
    foreign = {name: made - {f"{name}Response"} for name, made in methods_of(ast.parse(path.read_text()))}
    assert {name: made for name, made in foreign.items() if made} == {}


def test_a_response_without_a_result_is_a_message_of_the_method() -> None:
    answer = empty_answer(run_engine_service_pb2.PausePlanResponse)(None, 7)
    assert run_engine_service_pb2.PausePlanResponse.FromString(answer) == run_engine_service_pb2.PausePlanResponse()


def test_a_response_may_say_only_at_which_revision_it_was_done() -> None:
    answer = revision_answer(queue_execution_pb2.StopQueueResponse)(None, 7)
    assert isinstance(answer, bytes)
    assert queue_execution_pb2.StopQueueResponse.FromString(answer).revision == 7
