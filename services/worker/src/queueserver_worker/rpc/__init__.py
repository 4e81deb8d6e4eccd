"""The Worker's side of queueserver.worker.v1: requests in, responses and refusals out. Decides nothing."""
