"""Long work that never blocks other clients. docs/explanations/long-work.md says what it costs and what it brings."""
