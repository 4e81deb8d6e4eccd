"""Makes docs/reference/configuration.md from the tables of options, of ours and of old ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from queueserver_process.variables import PREFIX
from queueserver_standalone.configuration.old_options import OLD_OPTIONS, OldOption
from queueserver_standalone.configuration.option import Option
from queueserver_standalone.configuration.option_table import CONFIG, OPTIONS

_HEAD = """\
# Configuration

Options of `start-re-manager`. Each has its value from one of four places. A later place in this list counts before an
earlier one:

1. the default;
2. an environment variable: `QSERVER_` and the name of the option in capitals, `QSERVER_DATA_DIR` for `--data-dir`.
   The prefix `QUEUESERVER_` is accepted too; if both are set, `QSERVER_` takes precedence;
3. the configuration file, named by `--config PATH` or by `QSERVER_CONFIG`;
4. the command line.

`start-re-manager -h` shows all options, with examples; `start-re-manager --completion bash` (or `zsh`, `fish`)
prints what a shell needs to complete them. In the file, `ON` and `OFF` are written as `true` and `false`; a
variable accepts y, yes, t, true, on, 1 and n, no, f, false, off, 0. An option without a value, such as
`--keep-re`, means `ON`; `--keep-re OFF` overrides a file or a variable. Relative paths begin in the current
directory; `~` is the home directory.

If several of the four sources of startup code are given, the place with the highest precedence decides: `--startup-dir`
on the command line replaces a `startup_profile` of the file.

## The file

YAML, with a section for each part of the server:

```yaml
network:
  listen: 127.0.0.1:60630
  redis_addr: localhost:6379
  key_prefix: ${BEAMLINE}
startup:
  startup_dir: ~/.ipython/profile_collection/startup
  user_group_permissions_path: /etc/queueserver/user_group_permissions.yaml
worker:
  permitted_re_metadata_keys: [/proposal, /sample]
operation:
  default_user_group: primary
  print_console_output: false
  emergency_lock_key: ${EMERGENCY_KEY}
```

`${NAME}` is replaced by the environment variable of that name, which must be set. `$${` stands for `${`.

The path may also be a directory with several such files. Then each section must be in only one of them. Only `*.yml`
and `*.yaml` are read, but no hidden files.

A mistake in the file keeps the server from starting, and is reported with its line: an unknown key (with the one that
was probably meant), a key in the wrong section, a key that appears twice, a value of the wrong type.

The emergency lock key and the password of Redis have no option, because all users of a machine can read command lines.
They are never shown and never logged, and only the Manager gets them. Give no other user of the machine access to a
file that contains one.

Manager and Worker have their own options if you start them separately: `python -m queueserver_manager -h`,
`python -m queueserver_worker -h`. They read no configuration file. Of the variables below, the Manager reads those of
`--redis-addr`, the user and the password of Redis, `--advertise-address`, `--insecure-listen`, `--default-user-group`,
of the sizes of what is kept, and of the emergency lock key; the Worker reads those of `--insecure-listen` and
`--question-timeout`. The parts that `start-re-manager` starts don't see these variables: they get their settings from
`start-re-manager`.

Only Manager and Worker that are started separately have options for TLS between them, because `start-re-manager`
starts its Worker on a unix socket. [A Worker on another machine](../how-to/worker-elsewhere.md) shows them in use. Give
all three to a service, or none:

| | Worker | Manager |
|---|---|---|
| its certificate | `--tls-cert` | `--worker-tls-cert` |
| its private key | `--tls-key` | `--worker-tls-key` |
| the CA of the other's certificate | `--tls-ca` | `--worker-tls-ca` |

Their variables are `QSERVER_TLS_CERT` and so on, and `QSERVER_WORKER_TLS_CERT` and so on.

`make options` makes this page from the same tables as the command line.
"""
_OLD_HEAD = """\
## Options of bluesky-queueserver

Most command lines, configuration files and unit files of that server can be kept. Options, keys and variables that
are not in the table below have the name and the meaning that they had. Those in the table are accepted with a
warning in the log, or refused with a sentence that says what to do. What people rely on is refused.
"""


def main(arguments: list[str]) -> None:
    """Write the page to the path that is given."""
    Path(arguments[0]).write_text(page(), encoding="utf-8")


def page() -> str:
    """The page."""
    return "\n".join([_HEAD, *_ours(), "", _OLD_HEAD, *_old(), ""])


def _ours() -> Iterator[str]:
    yield "## Options\n"
    for heading in dict.fromkeys(option.heading for option in OPTIONS):
        title, _, words = (heading or "server").partition(": ")
        yield f"### {title[0].upper()}{title[1:]}\n"
        if words:
            yield f"{words[0].upper()}{words[1:]}.\n"
        yield "| option | in the file | variable | values | default | |"
        yield "|---|---|---|---|---|---|"
        for option in (CONFIG, *OPTIONS):
            if option.heading == heading:
                flag = f"`{option.flag}`" if option.on_command_line else ""
                path = f"`{option.path}`" if option.section else ""
                name = f"`{PREFIX}{option.variable_names[0]}`"
                yield _row(flag, path, name, option.kind.in_file, option.default, _meaning(option))
        yield ""


def _meaning(option: Option) -> str:
    short = ", ".join(f"`{flag}` for {value}" for flag, value in option.short_forms.items())
    return f"{option.help}; short forms: {short}" if short else option.help


def _old() -> Iterator[str]:
    yield "| option | in the file | variable | | why, and what to do |"
    yield "|---|---|---|---|---|"
    for old in OLD_OPTIONS:
        names = (old.flags, old.paths, old.variables)
        yield _row(*(", ".join(f"`{name}`" for name in some) for some in names), _fate(old), old.advice)


def _fate(old: OldOption) -> str:
    fate = old.fate.value
    return fate if old.usual is None else f"{fate}, except `OFF`"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
