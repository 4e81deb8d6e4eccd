"""What the running plan waits for, and how that is reported: a person's answer, a suspender, a device."""
