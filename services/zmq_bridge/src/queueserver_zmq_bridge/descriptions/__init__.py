"""Descriptions of plans and devices as bluesky-queueserver gives them."""
