"""A console pipe: bytes in, text out, nothing lost."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from queueserver_worker.supervisor.process.console import ConsolePipe

SECONDS = 10.0


class Pipe:
    def __init__(self) -> None:
        reader, self.writer = os.pipe()
        self.pieces: list[str] = []
        self.console = ConsolePipe(reader, self.pieces.append)

    def close(self) -> None:
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1
        self.console.close()


@pytest.fixture
async def pipe() -> AsyncIterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


async def test_draining_hands_on_what_is_in_the_pipe_now(pipe: Pipe) -> None:
    os.write(pipe.writer, b"x" * 60_000)
    pipe.console.drain()
    assert "".join(pipe.pieces) == "x" * 60_000


async def test_text_is_handed_on_without_being_asked_for(pipe: Pipe) -> None:
    arrived = asyncio.get_running_loop().create_future()
    pipe.console.close()
    reader, writer = os.pipe()
    console = ConsolePipe(reader, arrived.set_result)
    os.write(writer, b"hello")
    assert await asyncio.wait_for(arrived, SECONDS) == "hello"
    os.close(writer)
    console.close()


async def test_pieces_stay_below_the_bound_when_every_byte_is_replaced(pipe: Pipe) -> None:
    os.write(pipe.writer, b"\xff" * 60_000)
    pipe.console.drain()
    assert "".join(pipe.pieces) == "\ufffd" * 60_000
    assert max(len(piece.encode()) for piece in pipe.pieces) <= 64 * 1024


async def test_a_character_that_is_never_finished_appears_as_replaced_at_the_end(pipe: Pipe) -> None:
    os.write(pipe.writer, b"caf\xc3")
    pipe.close()
    assert "".join(pipe.pieces) == "caf\ufffd"


async def test_closing_does_not_wait_for_others_who_hold_the_pipe(pipe: Pipe) -> None:
    os.write(pipe.writer, b"last words")
    pipe.console.close()
    pipe.console.close()
    assert pipe.pieces == ["last words"]


@settings(deadline=None)
@given(st.text(max_size=200), st.lists(st.integers(0, 800), max_size=5))
def test_text_that_is_cut_anywhere_arrives_whole(text: str, cuts: list[int]) -> None:
    async def feed() -> str:
        pipe = Pipe()
        data = text.encode("utf-8", "replace")
        edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        for begin, end in itertools.pairwise(edges):
            os.write(pipe.writer, data[begin:end])
            pipe.console.drain()
        pipe.close()
        return "".join(pipe.pieces)

    assert asyncio.run(feed()) == text.encode("utf-8", "replace").decode()
