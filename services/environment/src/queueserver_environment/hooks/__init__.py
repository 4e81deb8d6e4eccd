"""How the server learns what a RunEngine does, whatever user code does to its hooks and subscriptions."""
