"""What an environment reports of its plans and devices, and what is worked out of that outside of it."""
