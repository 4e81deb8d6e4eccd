"""The Manager: owns the queue, the history and every rule; decides, stores, and tells the Worker what to do."""
