"""Simulation: what a plan would do, found by going through its messages without a RunEngine."""
