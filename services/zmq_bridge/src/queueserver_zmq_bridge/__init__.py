"""The 0MQ bridge: clients of bluesky-queueserver use this server unmodified.

It speaks the 0MQ API of bluesky-queueserver 0.0.25 on two sockets, and is itself an ordinary client of the Manager.
"""
