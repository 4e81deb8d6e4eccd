"""The Worker as the Manager sees it: what it reports, and what is sent to it."""
