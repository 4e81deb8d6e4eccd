"""What the environment process prints: who wrote it, and how it reaches the supervisor whatever user code does."""
