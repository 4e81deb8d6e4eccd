"""Keys for encrypted connections, as texts of 40 characters."""

import zmq
from zmq.utils import z85

_LENGTH = 40
_CODE = frozenset(z85.Z85CHARS)


def generate_zmq_keys() -> tuple[str, str]:
    """Return a new pair of keys: the public one, then the private one."""
    public, private = zmq.curve_keypair()
    return public.decode(), private.decode()


def generate_zmq_public_key(key_private: str) -> str:
    """Return the public key that belongs to a private one. Raises ValueError."""
    validate_zmq_key(key_private)
    return zmq.curve_public(key_private.encode()).decode()


def validate_zmq_key(key: object) -> None:
    """Do nothing if a text is a key. Raises ValueError."""
    if not isinstance(key, str) or len(key) != _LENGTH or not _CODE.issuperset(key.encode()):
        raise ValueError(f"{key!r} is no key: a key is a text of {_LENGTH} characters in the code z85.")
