"""One plan: from the item to its result, with pauses and other interruptions."""
