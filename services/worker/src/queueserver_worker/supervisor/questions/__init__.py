"""Requests to the environment that wait for its answer."""
