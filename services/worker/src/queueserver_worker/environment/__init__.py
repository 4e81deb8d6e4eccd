"""The environment: the child process that holds startup code, devices, the RunEngine and running plans.

It is the only home of bluesky in the Worker. The supervisor starts it, talks to it over one socket
(environment_channel.proto) and may kill it at any moment; nothing in here has to survive that.
It does not know queues, users or locks, and it never imports grpc.
"""
