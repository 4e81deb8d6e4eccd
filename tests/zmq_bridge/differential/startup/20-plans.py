# Startup code of the comparison, part 2: plans that end at once, wait, fail, and have parameters of all types.

import typing

from bluesky.protocols import Movable
from bluesky_queueserver import parameter_annotation_decorator


def count(detectors, num: int = 1, *, md: typing.Optional[typing.Dict[str, typing.Any]] = None):
    """Count."""
    yield from bluesky.plans.count(detectors, num=num, md=md)


def _wait_at(name):
    async def opened():
        pipe = os.open(Path(os.environ["COMPARISON_GATES"]) / name, os.O_RDONLY | os.O_NONBLOCK)
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(pipe, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(pipe)
            os.close(pipe)

    # The RunEngine does not cancel what it waits for when it pauses: only the plan itself takes what lets it pass.
    yield from bps.wait_for([opened])
    with (Path(os.environ["COMPARISON_GATES"]) / name).open("rb", buffering=0) as pipe:
        pipe.read(1)


def gated(gate: str = "gate"):
    """A run that waits until the gate is opened, and passes a checkpoint before and after."""
    yield from bps.checkpoint()
    yield from bps.open_run()
    yield from _wait_at(gate)
    yield from bps.checkpoint()
    yield from bps.close_run()


def nothing():
    """Do nothing, without a run."""
    yield from bps.null()


def failing(text: str = "failed on purpose"):
    """Fail in a run."""
    yield from bps.open_run()
    raise RuntimeError(text)


def moving(movable: Movable):
    """Take a device that can be moved."""
    yield from bps.null()


def _hidden():
    yield from bps.null()


def typed(
    whole: int,
    number: float = 1.0,
    text: str = "a",
    flag: bool = False,
    wholes: typing.List[int] = [1],
    numbers: typing.Optional[typing.List[float]] = None,
    pair: typing.Tuple[int, str] = (1, "a"),
    table: typing.Dict[str, int] = {},
    maybe: typing.Optional[int] = None,
    either: typing.Union[int, str] = 1,
    word: typing.Literal["x", "y"] = "x",
):
    """Take values of plain types."""
    yield from bps.null()


@parameter_annotation_decorator(
    {
        "description": "Take names and numbers within limits.",
        "parameters": {
            "detectors": {
                "annotation": "typing.List[Detectors]",
                "devices": {"Detectors": ["det1", "det2", "stage.x"]},
            },
            "mode": {"annotation": "Mode", "enums": {"Mode": ["fast", "slow"]}, "default": "fast"},
            "follow": {
                "annotation": "typing.Union[Follow, NoneType]",
                "plans": {"Follow": [":^count"]},
                "default": None,
            },
            "position": {"min": -5, "max": 5.5, "step": 0.1},
        },
    }
)
def listed(detectors, mode="fast", follow=None, position=0, *extra: int, label: str = "a", **more):
    """Take what the decorator says."""
    yield from bps.null()
