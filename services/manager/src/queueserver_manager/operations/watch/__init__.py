"""Watches: a snapshot, then every change in order."""
