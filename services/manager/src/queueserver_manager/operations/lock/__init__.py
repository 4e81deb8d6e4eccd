"""The lock: who sets, renews, asks for and releases it, and how that is logged."""
