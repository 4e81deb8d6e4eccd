"""A plan that asks a person: what everybody is told, who may answer, and what else ends a question."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from queueserver.manager.v1 import run_engine_service_pb2 as pb
from queueserver_client import (
    AsyncClient,
    BlockerKind,
    Client,
    DocumentEmitted,
    EventKind,
    ExitStatus,
    ItemHandle,
    ManagerState,
    Plan,
    Question,
    QuestionNotFound,
    Status,
)

from tests.e2e.conftest import HELD_UP_STARTUP, Shell
from tests.harness import expect
from tests.harness.parts import running_parts
from tests.harness.progress import history, status_when, until_state
from tests.harness.raw import Stubs, refused
from tests.harness.stack import Stack, running_stack
from tests.harness.wait import bounded, first


@pytest.fixture(scope="module")
def shared_stack() -> Iterator[Stack]:
    """A stack with an open environment, whose plans ask."""
    with running_stack(startup=HELD_UP_STARTUP) as running:
        with Client(running.address) as connected:
            connected.environment.open()
        yield running


async def asked(client: AsyncClient, prompt: str, other_than: str = "") -> Question:
    """Wait until this is asked, by another question than that one."""

    def is_asked(status: Status) -> bool:
        question = status.environment.question
        return question is not None and question.prompt == prompt and question.question_id != other_than

    question = (await status_when(client, is_asked)).environment.question
    assert question is not None
    return question


async def status_in(client: AsyncClient, state: ManagerState) -> Status:
    """Wait until the Manager is in a state; the status then."""
    return await status_when(client, lambda status: status.manager_state is state)


async def execute(client: AsyncClient, plan: str, *args: str) -> ItemHandle:
    """Execute a plan now."""
    return await client.queue.execute(Plan(plan, *args))


@contextlib.asynccontextmanager
async def answers_of(client: AsyncClient) -> AsyncIterator[Callable[[], Awaitable[list[str]]]]:
    """What waits for the run that tells the answers that a plan got."""
    async with client.watch([EventKind.DOCUMENT]) as watch:
        await first(watch, lambda _: True)

        async def told() -> list[str]:
            start = await first(watch, expect.document("start"))
            assert isinstance(start, DocumentEmitted)
            answers: list[str] = start.document.document["answers"]
            return answers

        yield told


async def test_a_question_is_told_and_the_plan_goes_on_with_its_answer(shared_client: AsyncClient) -> None:
    async with answers_of(shared_client) as answers:
        handle = await execute(shared_client, "ask", "Is the hutch searched?")
        question = await asked(shared_client, "Is the hutch searched?")
        assert question.item_uid == handle.uid
        assert question.expire_time is None
        [blocker] = await shared_client.explain_idle()
        assert blocker.kind is BlockerKind.QUESTION_ASKED
        assert "'Is the hutch searched?'" in blocker.message
        assert blocker.remedy_method == "queueserver.manager.v1.RunEngineService/AnswerQuestion"
        assert json.loads(blocker.remedy_request) == {"question_id": question.question_id}
        await shared_client.run_engine.answer("yes", question.question_id)
        assert await answers() == ["'yes'"]
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    assert (await status_in(shared_client, ManagerState.IDLE)).environment.question is None


async def test_an_answer_reaches_no_other_question_and_is_given_once(shared_client: AsyncClient, raw: Stubs) -> None:
    handle = await execute(shared_client, "ask", "first?", "second?")
    question = await asked(shared_client, "first?")
    answer = pb.AnswerQuestionRequest(question_id=question.question_id, text="one", request_id="answer-1")
    await raw.run_engine.AnswerQuestion(answer)
    second = await asked(shared_client, "second?")
    await raw.run_engine.AnswerQuestion(answer)
    with pytest.raises(QuestionNotFound) as stale:
        await shared_client.run_engine.answer("two", question.question_id)
    assert stale.value.metadata == {"question_id": second.question_id}
    assert await asked(shared_client, "second?") == second
    await shared_client.run_engine.answer("")
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    await until_state(shared_client, ManagerState.IDLE)
    with pytest.raises(QuestionNotFound) as none:
        await shared_client.run_engine.answer("three")
    assert none.value.metadata == {}


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.AnswerQuestionRequest(), "text"),
        (pb.AnswerQuestionRequest(text="x" * 10_001), "text"),
        (pb.AnswerQuestionRequest(text="", request_id="x" * 129), "request_id"),
    ],
)
async def test_an_answer_that_can_not_be_used_names_its_field(
    raw: Stubs, request_: pb.AnswerQuestionRequest, field: str
) -> None:
    refusal = await refused(raw.run_engine.AnswerQuestion(request_))
    assert list(refusal.violations) == [field]


async def test_a_question_that_a_pause_cuts_off_is_asked_again_and_earlier_ones_are_not(
    shared_client: AsyncClient,
) -> None:
    async with answers_of(shared_client) as answers:
        await execute(shared_client, "ask_twice_without_checkpoint")
        await asked(shared_client, "first?")
        await shared_client.run_engine.answer("1")
        cut_off = await asked(shared_client, "second?")
        await shared_client.run_engine.pause(immediate=True)
        assert (await status_in(shared_client, ManagerState.PAUSED)).environment.question is None
        with pytest.raises(QuestionNotFound):
            await shared_client.run_engine.answer("too late", cut_off.question_id)
        await shared_client.run_engine.resume()
        await asked(shared_client, "second?", other_than=cut_off.question_id)
        await shared_client.run_engine.answer("2")
        assert await answers() == ["'1'", "'2'"]
    await until_state(shared_client, ManagerState.IDLE)


async def test_a_deferred_pause_waits_for_the_answer_and_the_checkpoint_behind_it(shared_client: AsyncClient) -> None:
    await execute(shared_client, "ask", "first?", "second?")
    question = await asked(shared_client, "first?")
    await shared_client.run_engine.pause()
    status = await status_when(shared_client, lambda status: status.pause_pending)
    assert status.environment.question == question
    await shared_client.run_engine.answer("1")
    assert (await status_in(shared_client, ManagerState.PAUSED)).environment.question is None
    await shared_client.run_engine.halt()
    await until_state(shared_client, ManagerState.IDLE)


@pytest.mark.parametrize("verb", ["stop", "abort", "halt", "abort_now"])
async def test_a_plan_that_asks_can_be_ended(shared_client: AsyncClient, verb: str) -> None:
    handle = await execute(shared_client, "ask", "well?")
    await asked(shared_client, "well?")
    if verb != "abort_now":
        await shared_client.run_engine.pause(immediate=True)
        await until_state(shared_client, ManagerState.PAUSED)
    await getattr(shared_client.run_engine, verb)()
    ends = {"stop": ExitStatus.STOPPED, "halt": ExitStatus.HALTED}
    assert (await bounded(handle.result())).result.exit_status is ends.get(verb, ExitStatus.ABORTED)
    assert (await status_in(shared_client, ManagerState.IDLE)).environment.question is None
    await shared_client.queue.clear()


async def test_a_command_for_input_that_the_beamline_registered_stays_its_own(shared_client: AsyncClient) -> None:
    async with answers_of(shared_client) as answers:
        await execute(shared_client, "ask_the_beamline")
        assert await answers() == ["the beamline's own"]
    await until_state(shared_client, ManagerState.IDLE)


WAYS = ["input", "readline", "buffer", "iteration", "breakpoint", "pdb", "getpass", "library"]


@pytest.mark.parametrize("way", WAYS)
async def test_what_asks_at_a_terminal_fails_at_once_with_a_sentence(shared_client: AsyncClient, way: str) -> None:
    result = (await bounded((await execute(shared_client, "read_terminal", way)).result())).result
    assert result.exit_status is ExitStatus.FAILED
    assert result.message.startswith("Plan failed: There is no terminal here ")
    assert result.message.endswith(".")
    await until_state(shared_client, ManagerState.IDLE)
    await shared_client.queue.clear()


async def test_the_command_line_shows_a_question_and_answers_it(shared_client: AsyncClient, qserver: Shell) -> None:
    handle = await execute(shared_client, "ask", "Is the hutch searched?")
    await asked(shared_client, "Is the hutch searched?")
    why = qserver("why").stdout.decode()
    assert "'Is the hutch searched?'" in why
    assert "qserver re answer TEXT" in why
    assert "'prompt': 'Is the hutch searched?'" in qserver("status").stdout.decode()
    assert qserver("re", "answer").returncode != 0
    answered = qserver("re", "answer", "")
    assert answered.returncode == 0, answered
    assert (await bounded(handle.result())).result.exit_status is ExitStatus.COMPLETED
    again = qserver("re", "answer", "yes")
    assert (again.returncode, b"QUESTION_NOT_FOUND" in again.stdout) == (2, True), again
    await until_state(shared_client, ManagerState.IDLE)


async def test_a_question_survives_a_restart_of_the_manager() -> None:
    with running_parts(HELD_UP_STARTUP) as parts:
        async with AsyncClient(parts.address) as client:
            await client.environment.open()
            await execute(client, "ask", "Is anybody there?")
            question = await asked(client, "Is anybody there?")
        with parts.manager_killed():
            pass
        async with AsyncClient(parts.address) as later:
            assert await asked(later, "Is anybody there?") == question
            await later.run_engine.answer("yes", question.question_id)
            assert (await status_in(later, ManagerState.IDLE)).environment.question is None
            [entry] = await history(later)
            assert entry.result.exit_status is ExitStatus.COMPLETED


async def test_a_question_without_an_answer_in_time_fails_with_a_sentence_that_the_plan_may_catch() -> None:
    with running_stack("--question-timeout", "0.5", startup=HELD_UP_STARTUP) as stack:
        async with AsyncClient(stack.address) as client:
            await _questions_fail(client)


async def _questions_fail(client: AsyncClient) -> None:
    await client.environment.open()
    result = (await bounded((await execute(client, "ask", "quick?")).result())).result
    assert result.exit_status is ExitStatus.FAILED
    assert result.message.startswith('Plan failed: The question "quick?" had no answer within 0.5 seconds')
    await client.queue.clear()
    async with answers_of(client) as answers:
        await execute(client, "ask_patiently", "quick?")
        assert await answers() == ["too late"]
