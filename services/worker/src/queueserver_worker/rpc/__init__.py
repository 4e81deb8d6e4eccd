"""The Worker's side of queueserver.worker.v1: requests in, answers and refusals out. Decides nothing."""
