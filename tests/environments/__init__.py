"""Plans in the environments of beamlines: other Pythons, other blueskys, other libraries, and nothing of ours in them.

``python -m tests.environments`` makes them one after the other and runs the same work in each; the table of
docs/how-to/own-python.md says which there are.
"""
