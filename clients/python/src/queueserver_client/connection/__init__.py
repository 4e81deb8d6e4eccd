"""Channels, repetition of calls, and the meaning of a failed call."""
