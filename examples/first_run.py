"""The first run (`make demo`): a whole Queue Server, a few real plans, and what became of them.

It starts everything on a free port and in a temporary directory, so it disturbs nothing and leaves nothing behind,
and it uses only what every installation has: the command start-re-manager and the Python client.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from async_timeout import timeout
from queueserver_client import (
    AsyncClient,
    DocumentEmitted,
    Environment,
    Event,
    EventKind,
    ExitStatus,
    HistoryAdded,
    HistoryEntry,
    Item,
    ItemStarted,
    Plan,
    QueueServerError,
    QueueStopped,
    RunDocument,
    Snapshot,
)
from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

PLANS = [
    Plan("count", ["det1", "det2"], num=10, delay=0.3),
    Plan("scan", ["det"], "motor", -3, 3, 25),
    Plan("grid_scan", ["det4"], "motor1", -1, 1, 5, "motor2", -1, 1, 5),
    Plan("failing_plan"),
]
EXAMPLE = '{"name": "count", "args": [["det1"]], "kwargs": {"num": 5}}'
START_SECONDS = 60.0
RUN_SECONDS = 90.0
STOP_SECONDS = 45.0
SHOWN_ROWS = 8
SHOWN_COLUMNS = 5
LOG_LINES = 30

console = Console(highlight=False)


class DemoError(Exception):
    """Something went wrong that a person should see."""


# --- the server ---------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def server(directory: Path) -> AsyncIterator[str]:
    """A Queue Server that lives as long as the context; gives its address."""
    command = Path(sys.executable).with_name("start-re-manager")
    ready, announce = os.pipe()
    with (directory / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(command, "--listen", "127.0.0.1:0", "--data-dir", directory / "data"),
            env={**os.environ, "QUEUESERVER_READY_FD": str(announce)},
            pass_fds=[announce],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    os.close(announce)
    try:
        async with timeout(START_SECONDS):
            address = await read_line(ready)
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            async with timeout(STOP_SECONDS):
                await process.wait()
        except asyncio.TimeoutError:
            process.kill()


async def read_line(file_descriptor: int) -> str:
    """The line that a starting server writes when it is ready: its address."""
    reader = asyncio.StreamReader()
    pipe = os.fdopen(file_descriptor, "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    try:
        line = (await reader.readline()).decode().strip()
    finally:
        transport.close()
    if not line:
        raise DemoError("The server did not start.")
    return line


# --- what is seen of a run -----------------------------------------------------------------------------------------


@dataclass
class Readings:
    """The events of the newest run, as a table."""

    title: str = ""
    dimensions: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)

    def take(self, document: RunDocument) -> bool:
        """Take a document in; true if it brought a reading."""
        content = document.document
        if document.name == "start":
            self.title = f"{content.get('plan_name', 'run')}, scan {content.get('scan_id', '?')}"
            dimensions = content.get("hints", {}).get("dimensions", [])
            self.dimensions = [name for names, _ in dimensions for name in names]
            self.columns, self.rows = (), []
        elif document.name == "descriptor":
            self.columns = shown_columns(content, self.dimensions)
        elif document.name == "event":
            self.rows.append((content["seq_num"], content["data"]))
            return True
        return False

    def row(self, index: int) -> list[str]:
        """One reading as text."""
        number, data = self.rows[index]
        return [str(number), *(number_text(data.get(column)) for column in self.columns)]

    def table(self) -> Table:
        """The newest readings."""
        title = f"Readings of {self.title}"
        if len(self.rows) > SHOWN_ROWS:
            title += f" (the last {SHOWN_ROWS} of {len(self.rows)})"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, min_width=60)
        for name in ("#", *self.columns):
            table.add_column(name, justify="right")
        for index in range(max(0, len(self.rows) - SHOWN_ROWS), len(self.rows)):
            table.add_row(*self.row(index))
        return table


def shown_columns(descriptor: Mapping[str, Any], dimensions: Sequence[str]) -> list[str]:
    """Columns worth showing: what the plan moves, then what devices hint at, or else all numbers."""
    keys = descriptor["data_keys"]
    hints = [name for hint in descriptor.get("hints", {}).values() for name in hint.get("fields", [])]
    numbers = [name for name in keys if keys[name]["dtype"] in ("number", "integer")]
    wanted = dict.fromkeys([*dimensions, *hints] if hints else numbers)
    return [name for name in wanted if name in keys][:SHOWN_COLUMNS]


def number_text(value: Any) -> str:
    """A reading in few characters."""
    if isinstance(value, float):
        return f"{value:.4f}" if math.isfinite(value) else str(value)
    return "-" if value is None else str(value)


class Screen:
    """Progress of the items and the live table, or plain lines where there is no terminal."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.points: dict[str, int] = {}
        self.expected: dict[str, int] = {}
        self.done: dict[str, HistoryEntry] = {}
        self.running = ""
        self.readings = Readings()
        self.live = Live(self.render(), console=console, refresh_per_second=15) if console.is_terminal else None

    def take(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, ItemStarted):
            self.running = event.running_item.item.uid
            self.say(f"{event.running_item.item.name}: started")
        elif isinstance(event, DocumentEmitted):
            self.take_document(event.document)
        elif isinstance(event, HistoryAdded):
            self.done[event.entry.item.uid] = event.entry
            self.say(f"{event.entry.item.name}: {event.entry.result.exit_status}")
        if self.live is not None:
            self.live.update(self.render())

    def take_document(self, document: RunDocument) -> None:
        """Show a document of a run."""
        if document.name == "start":
            if self.live is not None and self.readings.rows:
                console.print(self.readings.table())  # what was live stays above what is
            self.expected[document.item_uid] = int(document.document.get("num_points") or 0)
        if self.readings.take(document):
            self.points[document.item_uid] = self.points.get(document.item_uid, 0) + 1
            names = ("#", *self.readings.columns)
            self.say(
                "  " + "  ".join(f"{name} {text}" for name, text in zip(names, self.readings.row(-1), strict=True))
            )

    def say(self, line: str) -> None:
        """A line for those who have no terminal."""
        if self.live is None:
            console.print(line, markup=False)

    def render(self) -> RenderableType:
        """Everything as it is now."""
        table = Table.grid(padding=(0, 2))
        for item in self.items:
            points, expected = self.points.get(item.uid, 0), self.expected.get(item.uid, 0)
            if item.uid in self.done:
                state, total = outcome_text(self.done[item.uid].result.exit_status), max(points, 1)
                points = total
            else:
                state, total = Text("running" if item.uid == self.running else "waiting", "dim"), max(expected, 1)
            table.add_row(Text(item.name, "bold"), ProgressBar(total, points, width=40), state)
        return Group(table, Text(), self.readings.table()) if self.readings.columns else table

    def shown(self) -> contextlib.AbstractContextManager[object]:
        """Keep it on the terminal while the context lives."""
        return contextlib.nullcontext() if self.live is None else self.live


def outcome_text(status: ExitStatus) -> Text:
    """How it ended, in colour."""
    return Text(str(status), "green" if status is ExitStatus.COMPLETED else "red")


# --- the story -------------------------------------------------------------------------------------------------------


async def open_environment(client: AsyncClient) -> None:
    """Load the startup code, and tell what is being loaded."""
    with console.status("Opening the environment …") as spinner:

        def progress(environment: Environment) -> None:
            if environment.progress:
                spinner.update(f"Opening the environment: {environment.progress}")

        await client.environment.open(on_progress=progress)
    plans, devices = await client.inventory.plans(), await client.inventory.devices()
    heading(2, f"The environment is open: {len(plans.plans)} plans and {len(devices.devices)} devices.")


async def run_plans(client: AsyncClient) -> None:
    """Queue the plans, start the queue, and show what happens until it stops."""
    handles = await client.queue.add_batch(PLANS)
    heading(3, f"{len(handles)} plans are queued, and stored in Redis: " + ", ".join(h.item.name for h in handles))
    async with client.watch((EventKind.QUEUE, EventKind.HISTORY, EventKind.DOCUMENT)) as watch:
        screen = Screen([handle.item for handle in handles])
        with screen.shown():
            async for event in watch:
                if isinstance(event, Snapshot):
                    await client.queue.start()
                    continue
                screen.take(event)
                if isinstance(event, QueueStopped):
                    break
    heading(4, f"The queue has stopped ({event.reason if isinstance(event, QueueStopped) else 'unknown'}).")


async def show_history(client: AsyncClient) -> None:
    """What was executed and how it ended."""
    table = Table(title="History", title_justify="left", box=box.ROUNDED)
    for name in ("plan", "result", "runs", "seconds", "what happened"):
        table.add_column(name, justify="right" if name == "seconds" else "left")
    entries = [entry async for entry in client.history.list()]
    for entry in entries:
        result = entry.result
        runs = ", ".join(f"{run.uid[:8]} (scan {run.scan_id})" for run in result.runs)
        table.add_row(
            entry.item.name, outcome_text(result.exit_status), runs or "-", duration(entry), Text(result.message or "-")
        )
    console.print(table)
    async for item in client.queue.list():
        if item.retry_of_uid:
            console.print(
                f"{item.name} failed on purpose, so a new attempt (number {item.attempt}) waits at the head of the "
                "queue. Look at it, then start the queue again or remove it."
            )
    expected = [ExitStatus.COMPLETED] * (len(PLANS) - 1) + [ExitStatus.FAILED]
    if [entry.result.exit_status for entry in entries] != expected:
        raise DemoError("The history is not what it should be: three plans completed, then one failed.")


def duration(entry: HistoryEntry) -> str:
    """Seconds from beginning to end."""
    start, stop = entry.result.start_time, entry.result.stop_time
    return f"{(stop - start).total_seconds():.2f}" if start and stop else "-"


def heading(number: int, text: str) -> None:
    """Tell what just happened."""
    console.print(f"\n[bold cyan]{number}[/] {text}")


def say_how_to_go_on() -> None:
    """What to type next."""
    console.print("\nWhat to try next:")
    for command, meaning in (
        ("make run", "keep a server running in this terminal; then, in another one:"),
        (".venv/bin/qserver environment open --wait", "load the startup code"),
        (f".venv/bin/qserver queue add plan '{EXAMPLE}'", "queue a plan"),
        (".venv/bin/qserver queue start", "run what is queued"),
        (".venv/bin/qserver watch", "see what happens, live"),
        ("grpcurl -plaintext 127.0.0.1:60630 list", "talk to it in any language"),
    ):
        console.print(Text("  ").append(command, "bold").append(f"  # {meaning}", "dim"), soft_wrap=True)


async def story(directory: Path) -> None:
    """The demo from beginning to end."""
    with console.status("Starting Redis, Worker and Manager …"):
        running = contextlib.AsyncExitStack()
        address = await running.enter_async_context(server(directory))
    async with running, AsyncClient(address) as client:
        heading(1, f"A Queue Server listens on {address}: Manager, Redis and Worker, each a process of its own.")
        async with timeout(START_SECONDS):
            await open_environment(client)
        async with timeout(RUN_SECONDS):
            await run_plans(client)
        await show_history(client)
    heading(5, "Everything is stopped, and its temporary data are removed.")
    say_how_to_go_on()


def main() -> int:
    """Run the demo; 0 if all went as it should."""
    with tempfile.TemporaryDirectory(prefix="queueserver-demo-") as name:
        try:
            asyncio.run(story(Path(name)))
        except KeyboardInterrupt:
            console.print("\nStopped.")
            return 1
        except (DemoError, QueueServerError, OSError, asyncio.TimeoutError) as error:
            console.print(f"\n[bold red]The demo did not work:[/] {error or 'it took too long'}", soft_wrap=True)
            log = Path(name) / "server.log"
            lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:] if log.exists() else []
            console.print("The last lines of the server's log:", *lines, sep="\n", markup=False)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
