"""``qserver-zmq-keys``: the pair that it prints fits together, and what is no key is told."""

from __future__ import annotations

import re

import pytest
import zmq
from queueserver_zmq_bridge.zmq_keys import main


def _keys(printed: str) -> list[str]:
    return re.findall(r"key \(.*\): +(\S{40})$", printed, re.MULTILINE)


def test_a_new_pair_is_printed_and_the_public_key_of_a_private_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    private, public = _keys(capsys.readouterr().out)
    assert zmq.curve_public(private.encode()).decode() == public
    # A key may begin with a dash.
    assert main([f"--zmq-private-key={private}"]) == 0
    assert _keys(capsys.readouterr().out) == [private, public]
    assert main([]) == 0
    assert private not in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "x", "ä" * 40, "a" * 41, " " * 40])
def test_what_is_no_key_is_told_with_exit_code_4(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--zmq-private-key={text}"]) == 4
    said = capsys.readouterr()
    assert (said.out, "40 characters" in said.err) == ("", True)
