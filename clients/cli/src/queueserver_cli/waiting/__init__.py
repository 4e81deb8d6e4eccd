"""Commands that wait until an item, a plan or the queue has ended."""
