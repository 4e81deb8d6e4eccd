"""Simulation: what a plan would do, found out by going through its messages without a RunEngine."""
