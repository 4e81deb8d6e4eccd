"""How the server hears what a RunEngine does, whatever user code does to its hooks and subscriptions."""
