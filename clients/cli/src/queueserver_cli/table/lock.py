"""Commands about the lock."""

from __future__ import annotations

from queueserver_cli.command_line.command import command

_LOCKED = {
    "environment": "keep others from the environment, the running queue, plans and tasks",
    "queue": "keep others from changing the queue, the history and permissions",
    "all": "keep others from both",
}
_EXAMPLES = {"environment": ["--lock-key KEY lock environment 'work in the hutch'"]}
_REQUEST_EXAMPLES = {"all": ["--lock-key KEY lock request all 'alignment, ten minutes' --wait"]}

COMMANDS = (
    *(
        command(
            f"lock {what}",
            "[NOTE]",
            f"{meaning}; needs --lock-key",
            f"lock:lock_{what}",
            "--lease",
            examples=_EXAMPLES.get(what, ()),
        )
        for what, meaning in _LOCKED.items()
    ),
    command(
        "lock info",
        "",
        "what is locked, by whom, and whether the key that is given fits",
        "lock:info",
        examples=["lock info"],
    ),
    command("lock renew", "", "renew the lease of the lock", "lock:renew"),
    *(
        command(
            f"lock request {what}",
            "[NOTE]",
            "ask the holder for the lock; the key is the one it will have",
            f"lock:request_{what}",
            "--lease",
            "--wait",
            examples=_REQUEST_EXAMPLES.get(what, ()),
        )
        for what in _LOCKED
    ),
    command("lock withdraw", "", "take a request for the lock back", "lock:withdraw"),
    command("lock grant", "[NOTE]", "give the lock to the person who asks for it", "lock:grant"),
    command(
        "lock refuse",
        "[NOTE]",
        "refuse the lock to the person who asks for it",
        "lock:refuse",
        examples=["--lock-key KEY lock refuse 'in five minutes'"],
    ),
    command(
        "unlock",
        "",
        "release the lock, with its key or the emergency key",
        "lock:unlock",
        examples=["--lock-key KEY unlock"],
    ),
)
