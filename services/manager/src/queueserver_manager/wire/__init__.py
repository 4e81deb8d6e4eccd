"""Domain objects in the messages of the contract, and back. Beside the adapters, nothing else touches ``_pb2``."""
