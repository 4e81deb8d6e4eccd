"""Devices for whose connections startup code waits: which, since when, and how far they are."""
