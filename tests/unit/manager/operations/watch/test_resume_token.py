"""Resume tokens: they come back as they were made, and nothing else is taken for one."""

from __future__ import annotations

import base64
import zlib

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from queueserver_manager.domain.refusals.errors import ResumeTokenInvalid
from queueserver_manager.operations.watch.resume_token import ResumePoint, decode_token

from tests.unit.manager.samples import relaxed

identities = st.uuids().map(str)
counts = st.integers(0, 2**64 - 1)
points = st.builds(ResumePoint, identities, counts, st.just("") | identities, counts)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@relaxed
@given(points)
def test_a_token_says_what_it_was_made_from(point: ResumePoint) -> None:
    token = point.encode()
    assert decode_token(token) == point
    assert set(token) <= set(ALPHABET)


@pytest.mark.parametrize("replacement", [*ALPHABET[::9], "=", "+", "!", " ", "é"])
def test_a_token_with_any_one_character_changed_is_refused(replacement: str) -> None:
    token = ResumePoint("a" * 32, 7, "", 9).encode()
    for index, character in enumerate(token):
        if character != replacement:
            with pytest.raises(ResumeTokenInvalid):
                decode_token(token[:index] + replacement + token[index + 1 :])


@relaxed
@given(points, st.data())
def test_a_token_with_something_cut_out_or_put_in_is_refused(point: ResumePoint, data: st.DataObject) -> None:
    token = point.encode()
    begin = data.draw(st.integers(0, len(token)))
    end = data.draw(st.integers(begin, len(token)))
    damaged = token[:begin] + data.draw(st.text(ALPHABET + "=+/\n !", max_size=4)) + token[end:]
    assume(damaged != token)
    with pytest.raises(ResumeTokenInvalid, match="begin watching without a token"):
        decode_token(damaged)


@relaxed
@given(st.text(max_size=120))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ResumeTokenInvalid):
        decode_token(text)


def test_a_token_of_another_version_is_refused() -> None:
    token = ResumePoint("a" * 32, 7, "", 9).encode()
    body = b"\x03" + base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))[1:-4]
    other = base64.urlsafe_b64encode(body + zlib.crc32(body).to_bytes(4, "big")).decode().rstrip("=")
    with pytest.raises(ResumeTokenInvalid):
        decode_token(other)


def test_there_is_one_form_of_a_token_only() -> None:
    token = ResumePoint("a" * 32, 7, "", 9).encode()
    others = [token[:-1] + last for last in ALPHABET if last != token[-1]]
    others += [token + "=", "!!!!" + token, token[:9] + "\n\n\n\n" + token[9:]]
    for other in others:
        with pytest.raises(ResumeTokenInvalid):
            decode_token(other)
