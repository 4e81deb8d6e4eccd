"""Fills a Queue Server with the state of a bluesky-queueserver: reads its Redis, and changes nothing there."""
