"""The queue and the history as whole lists, encoded as they are sent, and kept until they change."""
