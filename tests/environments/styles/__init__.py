"""Startup code in the styles in which beamlines publish theirs, written for this test.

``python -m tests.environments.styles`` makes an environment with the libraries that each needs, opens it, looks at what
it offers, counts, and closes it.
"""
