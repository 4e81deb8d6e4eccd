"""What the plan that runs waits for, and how that is told: a person's answer, a suspender, a device."""
