"""What the environment does: its plan and tasks, from the command to the one outcome."""
