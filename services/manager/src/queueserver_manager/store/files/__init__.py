"""Files that people edit: permissions, and lists of plans and devices."""
