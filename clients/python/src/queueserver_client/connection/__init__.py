"""Channels, repetition of calls, and what a failed call means."""
