"""Real processes for tests: whole stacks and single parts, killed and restarted at will, never left behind."""
