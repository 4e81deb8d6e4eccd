"""From messages of the contract to objects of the 0MQ API: items, history, status, lock, failures."""
