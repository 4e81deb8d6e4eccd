"""In which order changes and the Worker's events were told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from queueserver_manager.operations.commit import chronology as chronologies
from queueserver_manager.operations.commit.chronology import Chronology

BEGUN_AT = 10
TOLD_BEFORE = 7
#: True for a change, False for an event of the Worker.
HAPPENINGS = st.lists(st.booleans(), max_size=60)


def record(chronology: Chronology, happenings: list[bool]) -> dict[int, int]:
    """Note what happens as a term does; answers how much of the Worker was told before each change."""
    revision, sequence, truth = BEGUN_AT, TOLD_BEFORE, {}
    for is_change in happenings:
        if is_change:
            revision += 1
            chronology.changed(revision, "boot", sequence)
            truth[revision] = sequence
        else:
            sequence += 1
    return truth


@given(HAPPENINGS)
def test_each_change_comes_behind_exactly_what_was_told_before_it(happenings: list[bool]) -> None:
    chronology = Chronology(BEGUN_AT)
    chronology.met("boot", TOLD_BEFORE)
    truth = record(chronology, happenings)
    assert {revision: chronology.told_before(revision, "boot") for revision in truth} == truth
    assert {chronology.told_before(revision, "another boot") for revision in truth} <= {0}


@given(HAPPENINGS)
def test_changes_of_an_earlier_owner_come_behind_all_that_was_told_before_the_first_meeting(
    happenings: list[bool],
) -> None:
    chronology = Chronology(BEGUN_AT)
    assert chronology.told_before(BEGUN_AT, "boot") == 0
    # Changes before a Worker was met, and later meetings, say nothing about that time.
    chronology.changed(BEGUN_AT + 1, "", 0)
    chronology.met("boot", TOLD_BEFORE)
    record(chronology, happenings)
    chronology.met("boot", TOLD_BEFORE + 1000)
    chronology.met("another boot", 3)
    assert {chronology.told_before(revision, "boot") for revision in range(1, BEGUN_AT + 1)} == {TOLD_BEFORE}
    assert chronology.told_before(BEGUN_AT, "another boot") == 0


@given(HAPPENINGS)
def test_of_changes_that_are_long_past_too_much_is_told_before_them_and_never_too_little(
    happenings: list[bool],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chronologies, "_MAX_MARKS", 4)
        chronology = Chronology(BEGUN_AT)
        chronology.met("boot", TOLD_BEFORE)
        truth = record(chronology, happenings)
        told = [chronology.told_before(revision, "boot") for revision in range(1, BEGUN_AT + len(truth) + 1)]
    assert told == sorted(told)
    assert all(chronology.told_before(revision, "boot") >= sequence for revision, sequence in truth.items())
