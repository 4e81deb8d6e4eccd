"""What holds up the running plan, in sentences."""

from __future__ import annotations

from datetime import datetime, timezone

from queueserver_manager.domain.waiting import AwaitedDevice, PlanWait, Question, Suspension

#: Characters of a question or a justification that a sentence shows.
_MOST_TEXT = 300
#: Devices that a sentence names.
_MOST_DEVICES = 5


def question_sentence(question: Question) -> str:
    """A sentence: a plan asks a person something."""
    asks = f"The running plan has been waiting for an answer since {_time(question.asked)}: {_shown(question.prompt)!r}"
    limit = f" (it fails if there is none until {_time(question.expires)})" if question.expires is not None else ""
    return f"{asks}{limit}."


def suspension_sentence(suspension: Suspension) -> str:
    """A sentence: a plan is suspended, by what, since when, and when it continues."""
    held = "has not begun: it has been suspended" if suspension.before_plan else "has been suspended"
    by = f" by {suspension.suspender}" if suspension.suspender else ""
    if suspension.signal:
        by += f" watching the signal {suspension.signal}"
    if suspension.device and suspension.device != suspension.signal:
        by += f" of {suspension.device}"
    why = f" ({_shown(suspension.justification).rstrip('.')})" if suspension.justification else ""
    on = "when the signal is good again" if suspension.signal else "when the suspender releases it"
    if suspension.resume_delay and suspension.signal:
        on = f"{suspension.resume_delay:g} seconds after the signal is good again"
    return f"The running plan {held} since {_time(suspension.begun)}{by}{why}; it continues by itself {on}."


def wait_sentence(wait: PlanWait) -> str:
    """A sentence: a plan waits, for what, since when, and how far along it is."""
    since = _time(wait.begun)
    if wait.sleep is not None:
        return f"The running plan has been sleeping since {since}, for {round(wait.sleep, 1):g} seconds in all."
    if not wait.devices:
        return f"The running plan has been waiting since {since} for something that is not a device."
    named = [_device(device) for device in wait.devices[:_MOST_DEVICES]]
    more = len(wait.devices) - len(named) + wait.more_devices
    if more:
        named.append(f"{more} more")
    return f"The running plan has been waiting since {since} for {', '.join(named)}."


def _device(device: AwaitedDevice) -> str:
    facts = [device.action] if device.action else []
    unit = f" {device.unit}" if device.unit else ""
    if device.current:
        facts.append(f"at {device.current}{unit}")
    if device.target:
        facts.append(f"to {device.target}{unit}")
    if device.fraction_done is not None:
        facts.append(f"{device.fraction_done:.0%} done")
    return f"{device.name} ({', '.join(facts)})" if facts else device.name


def _shown(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "…"


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
