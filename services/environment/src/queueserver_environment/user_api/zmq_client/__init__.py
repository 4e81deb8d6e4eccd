"""Requests to a server that speaks the 0MQ API of bluesky-queueserver, and what it publishes; for users' own code.

The server here has that API where its 0MQ bridge is switched on. pyzmq is imported when it is used: without it these
names are not offered.
"""
