"""The faults: what is done to the system, one after another, in an order that a seed decides."""
