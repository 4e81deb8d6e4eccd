"""What a session, notebook or queue server loads: everything is in the package."""

from instrument.startup import *
