"""What Manager and Worker must understand alike about plans, devices and permissions for them.

Both sides decide by the same rules, so the rules are here once. Nothing in here knows gRPC, Redis or bluesky, and
nothing in here evaluates text.
"""
