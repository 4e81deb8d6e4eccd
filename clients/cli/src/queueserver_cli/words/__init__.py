"""Objects of the client as words for people and dictionaries for programs."""
