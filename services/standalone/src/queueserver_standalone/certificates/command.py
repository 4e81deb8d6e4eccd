"""The command `qserver-certs`: certificates with which Manager and Worker recognize each other over TCP."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from queueserver_process.options import OptionParser, add_version

from queueserver_standalone.certificates.authority import CertificateError, from_now
from queueserver_standalone.certificates.directory import MANAGER, WORKER, create
from queueserver_standalone.certificates.report import report, table

_DAYS = 730
_MOST_DAYS = 3650
_EXAMPLES = """\
examples:
  qserver-certs create certs --worker beamline-pc.example.org,10.0.0.7 --manager control.example.org
  qserver-certs create certs --worker beamline-pc.example.org,10.0.0.7 --force     before it expires
  qserver-certs show certs

The CA's key, ca-key.pem, is needed only to make certificates: keep it where others can't read it. Another directory
means another CA. docs/how-to/worker-elsewhere.md says which file belongs on which machine.
exit codes: 0 done, and nothing is wrong; 1 not done, or show found a problem; 2 wrong usage
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make certificates, or show them; returns the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        return _create(given, parser) if given.command == "create" else _show(given)
    except CertificateError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _create(given: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    services = {name: hosts for name, hosts in ((WORKER, given.worker), (MANAGER, given.manager)) if hosts}
    if not services:
        parser.error("name the machine of the Worker by --worker, or that of the Manager by --manager, or both")
    for path in create(given.directory, services, period=from_now(given.days), force=given.force):
        sys.stdout.write(f"{path}\n")
    return 0


def _show(given: argparse.Namespace) -> int:
    rows = report(given.directory)
    text = json.dumps([row.as_json() for row in rows], indent=2) if given.json else table(rows)
    sys.stdout.write(f"{text}\n")
    return 1 if any(row.problems for row in rows) else 0


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(
        prog="qserver-certs",
        description="Make and show the certificates with which Manager and Worker recognize each other over TCP.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser, "queueserver-standalone")
    commands = parser.add_subparsers(dest="command", required=True, metavar="create|show")
    making = commands.add_parser("create", help="make a CA, if there is none, and certificates that it signs")
    making.add_argument("directory", type=_directory, metavar="DIR", help="where the files are written")
    for service in (WORKER, MANAGER):
        making.add_argument(
            f"--{service}",
            type=_hosts,
            metavar="HOST[,HOST...]",
            help=f"host names and IP addresses of the {service.capitalize()}'s machine, as others connect to it",
        )
    making.add_argument(
        "--days", type=_days, default=_DAYS, metavar="N", help="how long they are valid, default: %(default)s"
    )
    making.add_argument("--force", action="store_true", help="replace certificates of services, but never the CA")
    showing = commands.add_parser("show", help="show certificates, until when they are valid, and what is wrong")
    showing.add_argument("directory", type=_directory, metavar="DIR", help="where the files are")
    showing.add_argument("--json", action="store_true", help="for programs")
    return parser


def _directory(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _hosts(text: str) -> list[str]:
    hosts = [host.strip() for host in text.split(",")]
    if not all(hosts):
        raise argparse.ArgumentTypeError("must be host names and IP addresses with commas between them")
    return hosts


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= _MOST_DAYS):
        raise argparse.ArgumentTypeError(f"must be a whole number of days from 1 to {_MOST_DAYS}, not {text:.40}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
