"""The lock: what is locked, by whom, until when, and with which key.

Keys are kept as digests, each with its own random salt, and compared in constant time. What others see of a lock, its
events and its representation, never has a key.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from queueserver_manager.domain.refusals.errors import FieldInvalid

#: Bounds, documented in the contract: characters of a key, seconds of a lease or of a request's waiting.
MAX_KEY = 128
MIN_SECONDS, MAX_SECONDS = 5.0, 24 * 3600.0
#: Seconds for which a request waits unless it says otherwise.
DEFAULT_WAIT = 3600.0
#: Seconds that the holder of a lease gets at least after they could not renew it.
GRACE = 30.0
SALT_BYTES = 16
_DIGEST_BYTES = 32
#: One character is composed of at most four; a text of unbounded length would take long to compose.
_LONGEST_DECOMPOSED = 4 * MAX_KEY


@dataclass(frozen=True, slots=True)
class KeyDigest:
    """What is kept of a key."""

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LockKey:
    """A key as a caller sent it. It is never stored and not shown."""

    text: str = field(repr=False)

    def digest(self, salt: bytes) -> KeyDigest:
        """What may be kept of it."""
        text = composed(self.text).encode("utf-8", "surrogatepass")
        return KeyDigest(salt, hashlib.blake2b(text, digest_size=_DIGEST_BYTES, salt=salt).digest())

    def fits(self, kept: KeyDigest | None) -> bool:
        """Whether it is the key whose digest was kept."""
        return kept is not None and hmac.compare_digest(self.digest(kept.salt).digest, kept.digest)


def key_from(text: str, field_name: str = "lock_key") -> LockKey:
    """A key. Raises FieldInvalid."""
    if not text:
        raise FieldInvalid(field_name, "required: the key")
    problem = problem_of_key(text)
    if problem:
        raise FieldInvalid(field_name, problem)
    return LockKey(text)


def problem_of_key(text: str) -> str:
    """What is wrong with a key; empty if nothing is. Letters count as composed."""
    is_long = len(text) > _LONGEST_DECOMPOSED or (len(text) > MAX_KEY and len(composed(text)) > MAX_KEY)
    return f"must have at most {MAX_KEY} characters" if is_long else ""


def composed(text: str) -> str:
    """The form in which keys are compared, so that "é" is the same on every keyboard."""
    return unicodedata.normalize("NFC", text)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client locks or wants to lock. Times are seconds since the epoch."""

    environment: bool
    queue: bool
    user: str
    note: str
    time: float
    #: Seconds after which the lock ends unless it is renewed; 0 for a lock that lasts until it is released.
    lease: float = 0.0


@dataclass(frozen=True, slots=True)
class LockRequest:
    """A client asks the holder for the lock, and waits until ``end``."""

    uid: str
    claim: Claim
    end: float
    #: None in what others see of it.
    key: KeyDigest | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Lock:
    """A client holds the lock."""

    #: Identity of this holding: the same as long as its key is.
    uid: str
    claim: Claim
    #: When the lease ends; 0 without one.
    lease_end: float = 0.0
    request: LockRequest | None = None
    #: None in what others see of it.
    key: KeyDigest | None = field(default=None, repr=False)

    def told(self) -> Lock:
        """What others may see of it."""
        request = replace(self.request, key=None) if self.request is not None else None
        return replace(self, key=None, request=request)


@dataclass(frozen=True, slots=True)
class Guard:
    """What a request would change, and the key that came with it."""

    environment: bool
    queue: bool
    key: LockKey | None = None

    def lets_pass(self, lock: Lock | None) -> bool:
        """Whether the request may change it."""
        if lock is None:
            return True
        locked = (self.environment and lock.claim.environment) or (self.queue and lock.claim.queue)
        return not locked or (self.key is not None and self.key.fits(lock.key))


def local_time(seconds: float) -> datetime:
    """Seconds since the epoch as local time, for people."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc).astimezone()


def held_text(lock: Lock, *, emergency_key_is_set: bool) -> str:
    """The message that people know from a wrong key."""
    claim = lock.claim
    since = local_time(claim.time).strftime("%m/%d/%Y %H:%M:%S")
    return "\n".join(
        (
            "Invalid lock key: ",
            f"RE Manager is locked by {claim.user} at {since}",
            f"Environment is locked: {claim.environment}",
            f"Queue is locked:       {claim.queue}",
            f"Emergency lock key:    {'set' if emergency_key_is_set else 'not set'}",
            f"Note: {claim.note or '---'}",
        )
    )
