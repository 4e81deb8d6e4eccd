"""The Worker: owns the environment process and executes plans in it."""
