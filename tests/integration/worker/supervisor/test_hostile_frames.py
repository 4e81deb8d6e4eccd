"""What frames announce and do not contain takes no memory, and what they contain takes a bounded amount."""

from __future__ import annotations

import subprocess
import sys

#: Prints by how many MiB reading hostile frames has increased the memory that the process had at most.
READING = """
import resource
from queueserver_worker.supervisor.frames.decoding import decode
from queueserver_worker.supervisor.frames.packed import BadFrameError

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

before = most()
huge = (0x03FFFFFF).to_bytes(4, "big")
frames = [
    b"\\xdd" + huge,
    b"\\xdf" + huge,
    (b"\\xdd" + huge) * 1000,
    (b"\\xdf" + huge + b"\\xa1a") * 1000,
    b"\\xc6\\xff\\xff\\xff\\xff",
    b"\\xdb\\xff\\xff\\xff\\xff",
    b"\\xc9\\xff\\xff\\xff\\xff\\x01",
    b"\\x81\\xc7\\x06\\x01\\xdd" + huge + b"\\x00\\x80",
    b"\\x91" * 20_000_000,
    b"\\xdd" + (20_000_000).to_bytes(4, "big") + b"\\x80" * 20_000_000,
    b"\\xdc\\xff\\xff" + (b"\\xdc\\xff\\xff" + b"\\x90" * 65535) * 200,
    b"\\xdc\\x01\\x00" + (b"\\xdc\\xff\\xff" + b"\\x90" * 65535) * 256,
]
for data in frames:
    try:
        decode(data)
    except BadFrameError:
        continue
    raise SystemExit("it was accepted")
print(most() - before)
"""


def test_hostile_frames_take_little_memory() -> None:
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3, 2 * 1024**3))\n{READING}"
    answer = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 0, answer.stderr
    # The longest has 20 MB, which is copied three times; 4 million empty lists take 64 bytes each.
    assert int(answer.stdout) < 500
