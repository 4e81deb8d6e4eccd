"""A reader who does what the tutorials say, from the first to the last, and notes where something else comes out."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no type information

from tests.harness.ports import reserved_port
from tests.harness.process import kill_process
from tests.harness.services import COMMANDS
from tests.tutorials.reading import INTERRUPT, NOTHING, OWN, Typed, Written, steps_of
from tests.tutorials.shape import Shapes
from tests.tutorials.terminals import Terminal

_MARK = "QUEUESERVER_TEST_TUTORIALS"


class Reader:
    """Terminals, files, and the uids that were seen."""

    def __init__(self, home: Path, stack: AsyncExitStack) -> None:
        """A reader with a home directory in which nothing is yet."""
        self.home = home
        self.notes: list[str] = []
        self.token = secrets.token_hex(8)
        self._stack = stack
        self._terminals: dict[str, Terminal] = {}
        self._shapes = Shapes()
        port = reserved_port()
        self._environment = {
            _MARK: self.token,
            "HOME": str(home),
            "PATH": os.pathsep.join([str(COMMANDS), os.environ["PATH"]]),
            "QSERVER_ADDRESS": f"127.0.0.1:{port}",
            "QSERVER_LISTEN": f"127.0.0.1:{port}",
            "XDG_RUNTIME_DIR": str(home / "run"),
        }
        (home / "run").mkdir(mode=0o700)
        (home / "steps").mkdir()
        (home / "work").mkdir()

    async def read(self, name: str, page: str) -> None:
        """Do all steps of a page."""
        self._shapes = Shapes()
        for step in steps_of(page):
            where = f"{name}, line {step.line}"
            if isinstance(step, Written):
                path = self.home / "work" / step.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(step.content, encoding="utf-8")
            elif step.terminal == OWN:
                await self._type(step, where)
            else:
                await self._follow(step, where)

    async def _type(self, step: Typed, where: str) -> None:
        terminal = await self._terminal(OWN)
        try:
            terminal.begin(self._shapes.command(step.commands))
        except KeyError as unknown:
            self.notes.append(f"{where}: nothing before it has shown {unknown}:\n{step.commands}")
            return
        try:
            output, failed = await terminal.end()
        except AssertionError as error:
            raise AssertionError("\n".join([*self.notes, f"{where}: {error}"])) from None
        fits = step.output is None or self._shapes.fits(step.output, output)
        if not fits or failed != step.fails:
            said = "" if step.output is None else f"\nthe page says:\n{step.output}"
            self.notes.append(f"{where}:\n{step.commands}printed{' and failed' * failed}:\n{output}{said}")

    async def _follow(self, step: Typed, where: str) -> None:
        terminal = await self._terminal(step.terminal)
        if step.commands.strip() == INTERRUPT:
            output, _ = await terminal.interrupt()
            if step.output is not None and not self._shapes.fits(f"…\n{step.output}…", output):
                self.notes.append(f"{where}: at the end it printed\n{output}\nthe page says:\n{step.output}")
            return
        if step.commands.strip() != NOTHING:
            if terminal.runs:
                raise AssertionError(f"{where}: something runs in {step.terminal} already")
            terminal.begin(self._shapes.command(step.commands))
        if step.output is not None:
            try:
                await terminal.appears(step.output, self._shapes)
            except AssertionError as error:
                raise AssertionError(
                    "\n".join([*self.notes, f"{where}: {error}\nthe page says:\n{step.output}"])
                ) from None

    async def _terminal(self, name: str) -> Terminal:
        if name not in self._terminals:
            terminal = Terminal(self.home / "steps")
            self._terminals[name] = await self._stack.enter_async_context(
                terminal.opened(self.home / "work", self._environment)
            )
        return self._terminals[name]

    async def leave(self) -> list[psutil.Process]:
        """Ctrl-C wherever something runs; answers what is left of it all the same."""
        for terminal in self._terminals.values():
            if terminal.runs:
                await terminal.interrupt()
        return [process for process in psutil.process_iter() if self._started(process)]

    def _started(self, process: psutil.Process) -> bool:
        try:
            started = process.environ().get(_MARK) == self.token or str(self.home) in " ".join(process.cmdline())
            return started and process.name() != "bash"
        except psutil.Error:
            return False


@contextlib.asynccontextmanager
async def reader(home: Path) -> AsyncIterator[Reader]:
    """A reader; afterwards nothing that they started is left, or it is an error."""
    async with AsyncExitStack() as stack:
        person = Reader(home, stack)
        left: list[psutil.Process] = []
        try:
            yield person
        finally:
            try:
                left = await person.leave()
            finally:
                for process in left:
                    with contextlib.suppress(ProcessLookupError):
                        kill_process(process.pid)
        assert left == []
