"""The whole Queue Server on one machine in one command: Redis, Worker and Manager as supervised processes.

Nothing here speaks gRPC or Redis beyond one PING, so that the process which watches the others stays small.
"""
