from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_manager.domain.permissions.names import composed, problem_of


@pytest.mark.parametrize(
    "name", ["jane", "Žofie Ünal", "山田 太郎", "O'Neill-Brontë", "محمد", "👩 operator 1", "x" * 100]
)
def test_names_of_people_are_accepted_in_every_script(name: str) -> None:
    assert composed(name) == name
    assert problem_of(name) == ""


def test_two_ways_to_write_a_name_are_one_name() -> None:
    decomposed = unicodedata.normalize("NFD", "Žofie Ünal")
    assert decomposed != "Žofie Ünal"
    assert composed(decomposed) == "Žofie Ünal"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "must not be empty"),
        ("x" * 101, "at most 100 characters"),
        ("𐌰" * 80, "300 bytes"),
        ("e" + "\u0301" * 100_000, "at most 100 characters"),
        ("a\x1b[2Jb", "leave out U+001B"),
        ("admin\u202etxt", "leave out U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("ja\u200bne", "leave out U+200B ZERO WIDTH SPACE"),
        ("ja\u00a0ne", "leave out U+00A0 NO-BREAK SPACE"),
        ("ja\u2028ne", "leave out U+2028 LINE SEPARATOR"),
        ("ja\ud800ne", "leave out U+D800"),
        ("\ufeffjane", "leave out U+FEFF"),
        (" jane", "must not begin or end with a space"),
        ("jane ", "must not begin or end with a space"),
        ("\u0301jane", "must not begin with U+0301 COMBINING ACUTE ACCENT"),
    ],
)
def test_what_is_no_name_is_refused_with_what_is_wrong_with_it(name: str, problem: str) -> None:
    assert problem in problem_of(composed(name))


@given(st.text())
def test_a_composed_name_stays_as_it_is_and_a_right_one_is_short_and_visible(text: str) -> None:
    name = composed(text)
    assert composed(name) == name
    if not problem_of(name):
        assert name.isprintable()
        assert 1 <= len(name) <= len(name.encode()) <= 300
