"""What the namespace of the startup code offers, as data: plans with their parameters, and devices.

Nothing in here calls a plan, reads a device or connects to hardware, and one object that can't be described
never hides the others: it is left out and listed as an issue.
"""
