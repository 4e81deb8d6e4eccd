"""The commands by which a RunEngine waits: in their place once, before those of user code, and gone when released."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from bluesky import Msg, RunEngine
from bluesky.utils import RunEngineInterrupted
from queueserver.worker.v1.environment_channel_pb2 import RunEngineWaits
from queueserver_environment.hooks.plan_hooks import PlanHooks
from queueserver_environment.messages.frames import FromEnvironment
from queueserver_environment.waiting.asking_again import asking_again
from queueserver_environment.waiting.commands import WaitingCommands
from queueserver_environment.waiting.progress import AwaitedStatus, Progress
from queueserver_environment.waiting.questions import QuestionUnansweredError

from tests.unit.environment.channel_forms import arrived

SECONDS = 30.0


class Told:
    """What the supervisor is told, and whoever waits for it."""

    def __init__(self) -> None:
        self.waits: list[RunEngineWaits] = []
        self._changed = threading.Condition()

    def __call__(self, frame: FromEnvironment) -> None:
        with self._changed:
            self.waits.append(arrived(frame).waits)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[RunEngineWaits], bool]) -> RunEngineWaits:
        with self._changed:
            assert self._changed.wait_for(lambda: bool(self.waits) and wanted(self.waits[-1]), SECONDS)
            return self.waits[-1]


@pytest.fixture(scope="module")
def engine() -> Iterator[RunEngine]:
    made = RunEngine({}, context_managers=[])
    yield made
    made.loop.call_soon_threadsafe(made.loop.stop)
    made._th.join(SECONDS)
    made.loop.close()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def waiting(engine: RunEngine, told: Told) -> Iterator[WaitingCommands]:
    made = WaitingCommands(engine, PlanHooks(engine), told, None)
    yield made
    made.release()


def ask(prompt: str, answers: list[Any]) -> Generator[Msg, Any, None]:
    answers.append((yield Msg("input", prompt=prompt)))


def test_commands_stand_once_however_often_they_are_established_and_are_gone_when_released(engine: RunEngine) -> None:
    before = dict(engine._command_registry)
    made = WaitingCommands(engine, PlanHooks(engine), Told(), None)
    ours = dict(engine._command_registry)
    made.establish()
    assert engine._command_registry == ours != before
    made.release()
    assert engine._command_registry == before
    made.establish()
    assert engine._command_registry == before


def test_an_answer_goes_to_the_plan_that_asked(engine: RunEngine, waiting: WaitingCommands, told: Told) -> None:
    answers: list[Any] = []

    def answer() -> None:
        asked = told.wait_for(lambda waits: waits.HasField("question")).question
        assert asked.prompt == "Ready?"
        waiting.answer("another question", "no")
        waiting.answer(asked.question_id, "yes")

    helper = threading.Thread(target=answer)
    helper.start()
    engine(ask("Ready?", answers))
    helper.join(SECONDS)
    assert answers == ["yes"]
    assert not told.waits[-1].HasField("question")


def test_a_command_of_user_code_in_front_of_ours_is_called_and_nothing_is_told_twice(
    engine: RunEngine, waiting: WaitingCommands
) -> None:
    inner = engine._command_registry["sleep"]
    heard: list[str] = []

    async def of_user(message: Msg) -> Any:
        heard.append(message.command)
        return await inner(message)

    engine.register_command("sleep", of_user)
    waiting.establish()
    engine([Msg("sleep", None, 0)])
    assert heard == ["sleep"]
    waiting.release()
    assert engine._command_registry["sleep"] is of_user
    engine.register_command("sleep", engine._sleep)


def test_a_command_for_input_of_user_code_is_never_replaced(engine: RunEngine, told: Told) -> None:
    async def of_user(_: Msg) -> str:
        return "theirs"

    answers: list[Any] = []
    engine.register_command("input", of_user)
    made = WaitingCommands(engine, PlanHooks(engine), told, None)
    assert not made.asks
    engine(ask("Ready?", answers))
    made.release()
    assert answers == ["theirs"]
    assert engine._command_registry["input"] is of_user
    engine.register_command("input", engine._input)


def test_a_question_with_a_time_limit_fails_in_the_plan_with_a_sentence(engine: RunEngine, told: Told) -> None:
    made = WaitingCommands(engine, PlanHooks(engine), told, 0.01)
    sentence = r'^The question "Ready\?" had no answer within 0.01 seconds: .*\.$'
    with pytest.raises(QuestionUnansweredError, match=sentence):
        engine(ask("Ready?", []))
    made.release()
    assert told.waits[0].question.HasField("expire_time")


@pytest.mark.parametrize(("answers", "seen"), [(True, ["input", "input", "null"]), (False, ["input", "null"])])
def test_a_question_that_was_cut_off_is_sent_again_if_it_is_answered_here(answers: bool, seen: list[str]) -> None:
    def plan() -> Generator[Msg, Any, None]:
        yield Msg("input", prompt="Ready?")
        yield Msg("null")

    messages = asking_again(plan(), lambda: answers)
    sent = [next(messages).command]
    sent += [messages.send(reply).command for reply in ([None, "yes"] if answers else [None])]
    assert sent == seen


def pause_and_answer(engine: RunEngine, waiting: WaitingCommands, told: Told, run: Callable[[], object]) -> None:
    """Call the RunEngine, pause it at its question, resume it, and answer "yes" when it is asked again."""

    def pause() -> None:
        told.wait_for(lambda waits: waits.question.question_id != "")
        engine.request_pause()

    def answer() -> None:
        asked = told.wait_for(lambda waits: waits.question.question_id not in {"", *cut_off})
        waiting.answer(asked.question.question_id, "yes")

    cut_off: set[str] = set()
    pausing = threading.Thread(target=pause)
    pausing.start()
    with pytest.raises(RunEngineInterrupted):
        run()
    pausing.join(SECONDS)
    cut_off.update(waits.question.question_id for waits in told.waits)
    answering = threading.Thread(target=answer)
    answering.start()
    engine.resume()
    answering.join(SECONDS)


def test_a_question_of_a_preprocessor_is_asked_again_after_a_pause(
    engine: RunEngine, waiting: WaitingCommands, told: Told
) -> None:
    answers: list[Any] = []

    def asking_before(plan: Generator[Msg, Any, Any]) -> Generator[Msg, Any, Any]:
        yield Msg("checkpoint")
        yield from ask("Is the hutch searched?", answers)
        lists.append(list(engine.preprocessors))
        return (yield from plan)

    lists: list[list[Any]] = []
    engine.preprocessors.append(asking_before)
    pause_and_answer(engine, waiting, told, lambda: engine([Msg("null")]))
    engine.preprocessors.remove(asking_before)
    assert (answers, lists, engine.preprocessors) == (["yes"], [[asking_before]], [])


@pytest.mark.parametrize("which", ["pre_plan", "post_plan"])
def test_a_question_of_a_suspenders_plan_is_asked_again_after_a_pause(
    engine: RunEngine, waiting: WaitingCommands, told: Told, which: str
) -> None:
    answers: list[Any] = []

    def plan() -> Generator[Msg, Any, None]:
        yield Msg("checkpoint")
        asking: dict[str, Any] = {which: lambda: ask("May it go on?", answers)}
        engine.request_suspend(over, **asking)
        yield Msg("sleep", None, 0.01)

    async def over() -> None:
        """It lets the plan go at once."""

    pause_and_answer(engine, waiting, told, lambda: engine(plan()))
    assert answers == ["yes"]


class RecordedLoop:
    """An event loop that only notes what it is to call."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return 0.0

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> None:
        self.soon.append(callback)

    def call_later(self, delay: float, callback: Callable[[], None]) -> None:
        self.later.append((delay, callback))


class TellingStatus:
    """A status that tells when the test says so; it fails when it is asked for anything else."""

    done = False

    def watch(self, tell: Callable[..., None]) -> None:
        self.tell = tell

    def add_callback(self, _: Callable[..., None]) -> None:
        raise SystemExit("a status may do anything")


def test_a_flood_of_news_from_a_device_is_told_once_a_second() -> None:
    loop, status, told = RecordedLoop(), TellingStatus(), []
    awaited = AwaitedStatus(status, "motor", "set")
    progress = Progress([awaited], loop, lambda: told.append(awaited.message()))  # type: ignore[arg-type] # has what it uses
    for place in range(10_000):
        status.tell(current=place, initial=0, target=10_000)
    [schedule] = loop.soon
    schedule()
    [(delay, pass_on)] = loop.later
    assert (delay, told) == (1.0, [])
    pass_on()
    assert [(device.name, device.current, device.target) for device in told] == [("motor", "9999", "10000")]
    progress.close()
    status.tell(current=1)
    assert len(loop.soon) == 1


def test_values_that_are_no_numbers_are_told_as_text_and_those_that_can_not_be_read_not_at_all() -> None:
    class Unreadable:
        def __str__(self) -> str:
            raise SystemExit("not even this")

    awaited = AwaitedStatus(object(), "", "trigger", {"current": (1, 2), "target": Unreadable(), "name": "camera"})
    message = awaited.message()
    assert (message.name, message.current, message.target) == ("camera", "(1, 2)", "")
    assert message.fraction_done is None
    assert not awaited.is_done
