"""How a plan ended: what is seen while it runs, and what follows from it."""
