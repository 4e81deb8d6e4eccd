"""The information socket: console text and status, published to any number of subscribers."""
