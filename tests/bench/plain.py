"""Child process: the startup files in plain Python, and then, if asked, plans in a bare RunEngine loop.

``python -m tests.bench.plain FOLDER PLANS`` says "ready" when the files are executed and a RunEngine is there. It
imports nothing of ours, so both figures are what a person gets without a queue server.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

WARM_UP = 20


def main() -> None:
    """Execute the files; run the plans when a line arrives; print seconds for each plan."""
    folder, plans = Path(sys.argv[1]), int(sys.argv[2])
    os.environ.setdefault("MPLBACKEND", "Agg")
    from bluesky import RunEngine  # noqa: PLC0415 - the import is a part of what is measured

    namespace: dict[str, Any] = {"__name__": "__main__"}
    for file in sorted(folder.glob("*.py")):
        exec(compile(file.read_bytes(), str(file), "exec"), namespace)  # noqa: S102 - our own demo startup code
    engine = namespace.get("RE") or RunEngine({})
    print("ready", flush=True)  # noqa: T201 - the word that the parent waits for
    if plans:
        sys.stdin.readline()
        print(json.dumps({"seconds": _run(engine, namespace, plans)}), flush=True)  # noqa: T201 - the result


def _run(engine: Any, namespace: dict[str, Any], plans: int) -> list[float]:
    def run() -> float:
        begin = time.perf_counter()
        engine(namespace["count"]([namespace["det1"]], num=1))
        return time.perf_counter() - begin

    for _ in range(WARM_UP):
        run()
    return [run() for _ in range(plans)]


if __name__ == "__main__":
    main()
