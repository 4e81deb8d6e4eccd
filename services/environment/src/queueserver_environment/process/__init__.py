"""The environment as a process: its commands, its channel to the supervisor, its end."""
