"""The languages in which the contract is generated and compiled: what each needs, and how its client is built and run.

The clients are in ``clients/``; each is built with its language's own tools, which keep what they fetch in their own
caches outside the repository.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CLIENTS: Final = Path(__file__).resolve().parents[2] / "clients"


@dataclass(frozen=True, kw_only=True)
class Language:
    """A language and its client. Commands are run in the client's directory."""

    name: str
    #: The client's directory in ``clients/``.
    folder: str
    #: Commands that succeed where the toolchain is installed.
    probes: tuple[str, ...]
    #: The Debian packages that bring the toolchain; empty where Debian's are too old.
    packages: str = ""
    #: What brings it otherwise.
    remedy: str = ""
    #: Generates the code of the whole contract and compiles it with the client.
    build: tuple[str, ...]
    #: Runs the client; the address of a server follows.
    run: tuple[str, ...]

    @property
    def directory(self) -> Path:
        """Where it is."""
        return CLIENTS / self.folder

    def command(self, address: str) -> list[str]:
        """Starts the client of the server at this address."""
        program, *arguments = self.run
        return [str(self.directory / program) if "/" in program else program, *arguments, address]

    def missing(self) -> str | None:
        """What to do to have its toolchain, and which command told that it isn't there; None if it is."""
        failed = next((probe for probe in self.probes if not _succeeds(probe)), None)
        if failed is None:
            return None
        remedy = f"apt-get install {self.packages}" if self.packages else self.remedy
        return f"'{failed}' fails: {remedy}"


LANGUAGES: Final = (
    Language(
        name="Go",
        folder="go",
        probes=("go version",),
        remedy="install Go 1.26 or newer",
        build=("go generate", "go vet ./...", "go build -o build/ ./..."),
        run=("build/go",),
    ),
    Language(
        name="TypeScript",
        folder="typescript",
        probes=("node --version", "npm --version"),
        remedy="install Node.js 20 or newer with npm",
        build=("npm ci --no-audit --no-fund --prefer-offline", "npm run --silent build"),
        run=("node", "dist/src/main.js"),
    ),
    Language(
        name="C++",
        folder="cpp",
        probes=(
            "cmake --version",
            "ninja --version",
            "c++ --version",
            "which protoc grpc_cpp_plugin",
            "pkg-config --exists grpc++ protobuf",
        ),
        packages="cmake g++ libgrpc++-dev libprotobuf-dev ninja-build pkg-config protobuf-compiler-grpc",
        build=("cmake -G Ninja -B build", "cmake --build build"),
        run=("build/queueserver_client",),
    ),
    Language(
        name="Java",
        folder="java",
        probes=("javac --version", "mvn --version"),
        packages="default-jdk-headless maven",
        build=("mvn --batch-mode --quiet -Dstyle.color=never package",),
        run=("java", "-jar", "target/queueserver-client.jar"),
    ),
)


class BuildError(Exception):
    """The contract or a client can't be compiled."""


def provide(language: Language) -> str | None:
    """Make sure of a language's toolchain; answers why the language is skipped, None if it is not.

    In CI nothing is skipped: what Debian has is installed, and what it doesn't have is a BuildError.
    """
    missing = language.missing()
    if missing is None or not os.environ.get("CI"):
        return missing
    if language.packages:
        _run("apt-get update --quiet=2", CLIENTS)
        _run(f"apt-get install --yes --quiet=2 --no-install-recommends {language.packages}", CLIENTS)
        missing = language.missing()
    if missing is not None:
        raise BuildError(missing)
    return None


def build(language: Language) -> None:
    """Generate and compile; the tools' output goes where ours goes. BuildError if one of them fails."""
    for command in language.build:
        _run(command, language.directory)


def _run(command: str, directory: Path) -> None:
    sys.stdout.write(f"$ {command}\n")
    sys.stdout.flush()
    ended = subprocess.run(
        shlex.split(command), cwd=directory, env=_environment(), stdin=subprocess.DEVNULL, check=False
    )
    if ended.returncode != 0:
        raise BuildError(f"'{command}' in {directory} ended with code {ended.returncode}")


def _environment() -> dict[str, str]:
    # buf, which generates Go's code, is installed beside this Python
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "DEBIAN_FRONTEND": "noninteractive"}


def _succeeds(command: str) -> bool:
    words = shlex.split(command)
    return (
        shutil.which(words[0]) is not None and subprocess.run(words, capture_output=True, check=False).returncode == 0
    )
