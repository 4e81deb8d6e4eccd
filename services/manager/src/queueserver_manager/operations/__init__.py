"""Use cases: each decides, commits and announces, in that order."""
