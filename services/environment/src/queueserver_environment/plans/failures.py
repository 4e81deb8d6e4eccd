"""Exceptions of user code, in the user's terms.

A person needs the exception, their own file and line, and the traceback without the machinery that called
their code. Texts are bounded and printing never raises, whatever the exception object does.
"""

import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from queueserver_environment.connections.failure import not_connected_text
from queueserver_environment.messages.frames import EnvironmentFailure
from queueserver_environment.process.no_terminal import terminal_text

MAX_MESSAGE: Final = 2_000
"""Longest message, in characters."""
MAX_TRACEBACK: Final = 30_000
"""Longest traceback, in characters; the middle of a longer one is cut out."""
MAX_FRAMES: Final = 60
"""Frames of each exception in a traceback; those in the middle are left out, as of a recursion."""
_LAST_LINE: Final = 2**31 - 1
_OWN_FOLDER: Final = str(Path(__file__).parents[1])
_BETWEEN_USER_CODE: Final = (
    "<frozen ",
    *(
        str(Path(_OWN_FOLDER, name))
        for name in (
            "connections",
            "user_api",
            "startup/startup.py",
            "startup/ipy_files.py",
            "startup/ipython_standin.py",
            "startup/ipython_magics.py",
            "startup/shim_finder.py",
            "process/no_terminal.py",
        )
    ),
)
"""Our own frames that user code calls, and that may call user code again; what is above them counts."""

FrameTest = Callable[[str], bool]
"""Tells by its file name whether a frame of a traceback belongs to certain code."""


class StartupError(Exception):
    """The startup code can't be used; the message says what to do.

    Parameters
    ----------
    message
        One sentence.
    file, line
        The place that it is about, if there is one.

    """

    def __init__(self, message: str, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.file = file
        self.line = line


def is_own_frame(filename: str) -> bool:
    """Tell whether a frame is ours and of no use to the author of a plan or of startup code."""
    return filename.startswith((_OWN_FOLDER, "<frozen "))


def _is_above_user_code(filename: str) -> bool:
    return is_own_frame(filename) and not filename.startswith(_BETWEEN_USER_CODE)


def error_text(error: BaseException) -> str:
    """Text of an exception in one line as far as possible; its class name if it has no text."""
    try:
        text = str(error).strip()
    except BaseException:  # noqa: BLE001 - protects the report from a broken __str__ in user code
        text = ""
    return shorten(text or terminal_text(error) or type(error).__name__, MAX_MESSAGE)


def shorten(text: str, limit: int) -> str:
    """Cut out the middle of a text that is longer than `limit` characters; make it valid Unicode."""
    if len(text) > limit:
        text = f"{text[: limit // 2]}\n[…]\n{text[-limit // 2 :]}"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def user_traceback(error: BaseException) -> str:
    """Print an exception with all its causes, starting where user code begins."""
    try:
        report = traceback.TracebackException.from_exception(error)
        for part in _chain(report):
            # A syntax error has its place besides the frames, and often none of the user's.
            part.stack = _below_own_frames(part.stack, or_none=getattr(part, "filename", None) is not None)
        text = "".join(report.format())
    except BaseException:  # noqa: BLE001 - protects the report from exception objects that can't be printed
        text = f"{_frames(error)}{type(error).__name__} (it could not be printed)\n"
    return shorten(text, MAX_TRACEBACK)


def _frames(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_own_frame(frame.filename)]
    return "".join(traceback.format_list(frames))


def startup_failure(error: BaseException, is_startup_file: FrameTest) -> EnvironmentFailure:
    """Describe why startup code failed, with the innermost place in the user's startup files."""
    if isinstance(error, StartupError):
        return EnvironmentFailure(message=error_text(error), file=error.file, line=error.line)
    file, line = _place(error, is_startup_file)
    kind = type(error).__name__
    where = f" in {Path(file).name}, line {line}" if file else ""
    what = f"The startup code called exit ({error_text(error)})" if isinstance(error, SystemExit) else kind
    text = "" if isinstance(error, SystemExit) else f": {_first_line(error)}"
    advice = f"{'remove the call' if isinstance(error, SystemExit) else 'correct it'} and try again"
    return EnvironmentFailure(
        message=f"{what}{where}{text}; {advice}.",
        exception_type=kind,
        file=file,
        line=line,
        traceback=user_traceback(error),
    )


def _first_line(error: BaseException) -> str:
    syntax = from_compiler(error)
    text = syntax.msg if syntax is not None else not_connected_text(error) or error_text(error)
    return text.strip().splitlines()[0].rstrip(".")


def _place(error: BaseException, is_startup_file: FrameTest) -> tuple[str, int]:
    syntax = from_compiler(error)
    if syntax is not None and syntax.filename:
        return syntax.filename, syntax.lineno or 0
    place = ("", 0)
    for frame, line in traceback.walk_tb(error.__traceback__):
        if is_startup_file(frame.f_code.co_filename):
            place = (frame.f_code.co_filename, line)
    return place


def from_compiler(error: BaseException) -> SyntaxError | None:
    """Treat a syntax error as what it seems to be only if it could be: any code can raise one, with any content."""
    if type(error) not in (SyntaxError, IndentationError, TabError):
        return None
    # Typed as if it could hold nothing else.
    found: Any = error
    has_text = isinstance(found.msg, str) and bool(found.msg.strip()) and isinstance(found.filename, str)
    has_line = found.lineno is None or (type(found.lineno) is int and 0 <= found.lineno <= _LAST_LINE)
    return found if has_text and has_line else None


def _chain(report: traceback.TracebackException | None) -> Iterator[traceback.TracebackException]:
    while report is not None:
        yield report
        yield from _chain(report.__context__ if report.__cause__ is not None else None)
        report = report.__cause__ or report.__context__


def _below_own_frames(stack: traceback.StackSummary, *, or_none: bool) -> traceback.StackSummary:
    last_own = max((i for i, frame in enumerate(stack) if _is_above_user_code(frame.filename)), default=-1)
    below = [frame for frame in list(stack)[last_own + 1 :] if not is_own_frame(frame.filename)]
    return traceback.StackSummary.from_list(_without_the_middle(below if below or or_none else list(stack)))


def _without_the_middle(frames: list[traceback.FrameSummary]) -> list[traceback.FrameSummary]:
    left_out = len(frames) - MAX_FRAMES
    if left_out <= 0:
        return frames
    half = MAX_FRAMES // 2
    gap = traceback.FrameSummary("…", 0, f"{left_out} frames that are left out", lookup_line=False, line="")
    return [*frames[:half], gap, *frames[-half:]]
