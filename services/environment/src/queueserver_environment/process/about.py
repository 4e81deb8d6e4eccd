"""What the environment reports about itself: its Python, and the libraries with which plans run."""

import platform
import sys
from typing import Final

from queueserver_process.process_facts import shown_value, versions_of

from queueserver_environment.messages.frames import EnvironmentAbout, ProcessInfo
from queueserver_environment.startup.startup_sources import StartupSource

LIBRARIES: Final = (
    *("bluesky", "ophyd", "ophyd-async", "event-model", "numpy", "protobuf", "grpcio"),
    *("databroker", "tiled", "pyepics", "caproto", "aioca", "p4p", "pytango", "happi", "scipy", "pandas", "IPython"),
)
"""Those that are installed are reported."""


def about(source: StartupSource) -> EnvironmentAbout:
    """Examine this process, which has loaded its startup code."""
    process = ProcessInfo(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        executable=shown_value(sys.executable or ""),
        libraries=versions_of(LIBRARIES),
    )
    return EnvironmentAbout(process=process, startup_path=shown_value(source.root or ""))
