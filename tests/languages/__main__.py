"""``python -m tests.languages [LANGUAGE]…``: generate and compile the whole contract in each language."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from tests.languages.toolchains import LANGUAGES, BuildError, build, provide


def main(names: Sequence[str]) -> int:
    """Compile in the languages of these folders of ``clients/``, or in all; return the exit code."""
    unknown = set(names) - {language.folder for language in LANGUAGES}
    if unknown:
        say(f"There is no {', '.join(sorted(unknown))}: take of {', '.join(each.folder for each in LANGUAGES)}.")
        return 2
    results = []
    failed = False
    for language in LANGUAGES:
        if names and language.folder not in names:
            continue
        say(f"\n=== {language.name}")
        begun = time.monotonic()
        try:
            skipped = provide(language)
            if skipped is None:
                build(language)
        except BuildError as error:
            failed = True
            results.append(f"{language.name}: FAILED: {error}")
        else:
            results.append(
                f"{language.name}: compiled in {time.monotonic() - begun:.1f} s"
                if skipped is None
                else f"{language.name}: skipped, because its toolchain is not installed: {skipped}"
            )
        say(results[-1])
    say("\n=== The contract in other languages\n" + "\n".join(results))
    return 1 if failed else 0


def say(text: str) -> None:
    """Print a line now: the tools write to the same place."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
