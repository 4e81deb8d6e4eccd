"""Options, variables and keys of bluesky-queueserver that have another name here, or no meaning.

Guarantees: all of them are recognised. One that has been renamed is accepted under its old name, with a warning; one
that can be left out without harm is ignored, with a warning; one that people rely on is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from queueserver_standalone.configuration.option import Choice, Kind, OnOff, Switch, Text


class Fate(Enum):
    """How it is treated; the values are the words of the documentation."""

    RENAMED = "accepted, with a warning"
    WITHOUT_EFFECT = "accepted without effect, with a warning"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class OldOption:
    """One old setting."""

    fate: Fate
    #: What to do instead, as a clause that follows its name.
    advice: str
    #: On the command line, in the configuration file (section.key), in the environment.
    flags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    kind: Kind = field(default_factory=Text)
    #: RENAMED: our option that means the same, and what its values are called there.
    ours: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    #: A value that is the default here anyway: it causes no warning.
    usual: object = None


_NO_KERNEL: Final = "has no effect, because startup code runs in plain Python here, without an IPython kernel"
_PORTS: Final = ("shell", "iopub", "stdin", "hb", "control")
_DOCUMENTS: Final = (
    "subscribe in the startup code (RE.subscribe), or follow them with a client (qserver watch document)"
)


def _kernel(*names: str, kind: Kind | None = None, advice: str = _NO_KERNEL) -> OldOption:
    return OldOption(
        Fate.WITHOUT_EFFECT,
        advice,
        flags=tuple(f"--ipython-{name}" for name in names),
        paths=tuple(f"worker.ipython_{name.replace('-', '_')}" for name in names),
        variables=tuple(f"QSERVER_IPYTHON_{name.replace('-', '_').upper()}" for name in names),
        kind=kind or Text(),
    )


def _publishing(flag: str, advice: str, kind: Kind | None = None) -> OldOption:
    name = flag.strip("-").replace("-", "_")
    return OldOption(Fate.REFUSED, advice, (flag,), (f"run_engine.{name}",), kind=kind or Text())


OLD_OPTIONS: Final[tuple[OldOption, ...]] = (
    OldOption(
        Fate.RENAMED,
        "is called --key-prefix here",
        ("--redis-name-prefix",),
        ("network.redis_name_prefix",),
        ours="key_prefix",
    ),
    OldOption(
        Fate.RENAMED,
        "is called log_level here",
        paths=("operation.console_logging_level",),
        kind=Choice("SILENT", "QUIET", "NORMAL", "VERBOSE"),
        ours="log_level",
        values={"SILENT": "SILENT", "QUIET": "WARNING", "NORMAL": "INFO", "VERBOSE": "DEBUG"},
    ),
    OldOption(Fate.RENAMED, "is called --zmq-control-addr here", ("--zmq-addr",), ours="zmq_control_addr"),
    OldOption(Fate.RENAMED, "is called --zmq-info-addr here", ("--zmq-publish-console-addr",), ours="zmq_info_addr"),
    OldOption(
        Fate.REFUSED,
        "can't be ON, because startup code runs in plain Python here: leave it out; get_ipython() and .ipy files are "
        "understood without a kernel (docs/how-to/startup-code.md)",
        ("--use-ipython-kernel",),
        ("worker.use_ipython_kernel",),
        ("QSERVER_USE_IPYTHON_KERNEL",),
        kind=OnOff(),
        usual=False,
    ),
    _kernel(
        "matplotlib",
        advice="has no effect, because there is no IPython kernel: set the variable MPLBACKEND for another backend",
    ),
    _kernel("kernel-ip", "connection-file", "connection-dir", *(f"{port}-port" for port in _PORTS)),
    OldOption(
        Fate.WITHOUT_EFFECT,
        "has no effect: 'qserver config' shows the settings",
        variables=("QSERVER_SETTINGS_SAVE_TO_FILE",),
    ),
    _publishing("--kafka-topic", f"asks for documents in Kafka, which this server does not send: {_DOCUMENTS}"),
    _publishing("--kafka-server", f"asks for documents in Kafka, which this server does not send: {_DOCUMENTS}"),
    _publishing("--zmq-data-proxy-addr", f"asks for documents in 0MQ, which this server does not send: {_DOCUMENTS}"),
    _publishing(
        "--databroker-config",
        "asks for a databroker, which this server does not set up: do so in the startup code, as in "
        "db = Broker.named(NAME); RE.subscribe(db.insert)",
    ),
    _publishing(
        "--use-persistent-metadata",
        "asks for metadata that is kept, which this server does not do: let the startup code set RE.md, as in "
        "RE.md = PersistentDict(PATH)",
        Switch(),
    ),
)
