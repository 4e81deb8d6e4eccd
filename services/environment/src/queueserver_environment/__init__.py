"""The environment: the child process that holds startup code, devices, the RunEngine and running plans.

It is the only part of the Worker that uses bluesky. The supervisor starts it, talks to it over one socket
(environment_channel.proto) and may kill it at any moment; nothing in here has to survive that.
It knows no queues, users or locks, and it never imports grpc.
"""
