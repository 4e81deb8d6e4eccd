"""Text for somebody who may not read it: in order, never waited for, and told about where it is left out."""

from __future__ import annotations

import errno
import logging
import os
import re
import select
import threading
from collections.abc import Iterator
from typing import TextIO

import pytest
from queueserver_process import terminal as terminal_module
from queueserver_process.terminal import Terminal, TerminalHandler

#: More than a pipe holds.
MUCH = 100_000
#: Generous: it only decides how long a broken test takes to fail.
SECONDS = 30.0


class Pipe:
    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        self.stream: TextIO = os.fdopen(writer, "w", encoding="utf-8")

    def read_until(self, pattern: str) -> str:
        text = b""
        while not re.search(pattern, text.decode()):
            piece = os.read(self.reader, 65536)
            assert piece, f"the end came after {text!r}"
            text += piece
        return text.decode()

    def wait_until_full(self) -> None:
        """Wait until somebody has begun to write more than it holds."""
        readable, _, _ = select.select([self.reader], [], [], SECONDS)
        assert readable

    def stop_reading(self) -> None:
        if self.reader >= 0:
            os.close(self.reader)
            self.reader = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.stop_reading()
    made.stream.close()


def test_text_arrives_in_order_and_closing_waits_for_it(pipe: Pipe) -> None:
    terminal = Terminal(pipe.stream, "of the test")
    for number in range(1000):
        terminal.write(f"{number}é\n")
    terminal.close(SECONDS)
    pipe.stream.close()
    assert pipe.read_until("999é\n") == "".join(f"{number}é\n" for number in range(1000))


def test_text_that_nobody_reads_is_left_out_and_its_length_is_told_in_its_place(pipe: Pipe) -> None:
    terminal = Terminal(pipe.stream, "of the test", limit=MUCH)
    terminal.write("x" * MUCH)
    # What follows waits behind it, instead of finding room or not depending on when the writing thread gets its turn.
    pipe.wait_until_full()
    for _ in range(9):
        terminal.write("x" * MUCH)
    text = pipe.read_until("left out.*\n")
    told = re.fullmatch(r"(x*)\n\[(\d+) characters of the test left out: .*\]\n", text)
    assert told is not None
    assert len(told[1]) + int(told[2]) == 10 * MUCH
    assert MUCH <= len(told[1]) <= 2 * MUCH
    terminal.write("after\n")
    assert pipe.read_until("after\n") == "after\n"
    terminal.close()


def test_closing_does_not_wait_for_long_for_somebody_who_does_not_read(pipe: Pipe) -> None:
    terminal = Terminal(pipe.stream, "of the test")
    terminal.write("x" * MUCH)
    terminal.close(0.01)
    terminal.write("too late")
    terminal.close()
    pipe.stop_reading()


def test_a_reader_that_is_gone_disturbs_nobody(pipe: Pipe) -> None:
    pipe.stop_reading()
    terminal = Terminal(pipe.stream, "of the test")
    for _ in range(100):
        terminal.write("x\n")
    terminal.close(SECONDS)


def test_what_a_full_disk_does_not_take_is_left_out_and_its_length_told_when_there_is_room(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried, really = threading.Semaphore(0), terminal_module._write_all

    def full(*_: object) -> None:
        tried.release()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(terminal_module, "_write_all", full)
    terminal = Terminal(pipe.stream, "of the test")
    for text in ("lost\n", "lost, too\n"):
        terminal.write(text)
        assert tried.acquire(timeout=SECONDS)
    monkeypatch.setattr(terminal_module, "_write_all", really)
    terminal.write("after\n")
    terminal.close(SECONDS)
    assert pipe.read_until("after\n") == "[15 characters of the test left out: the disk was full]\nafter\n"


def test_a_process_without_standard_output_writes_nowhere() -> None:
    terminal = Terminal(None, "of the test")
    terminal.write("x")
    terminal.close()


def test_log_lines_arrive_when_the_log_is_closed(pipe: Pipe) -> None:
    handler = TerminalHandler(pipe.stream)
    for word in ("one", "two"):
        handler.handle(logging.LogRecord("test", logging.INFO, __file__, 1, "line %s", (word,), None))
    handler.close()
    assert pipe.read_until("two\n") == "line one\nline two\n"
