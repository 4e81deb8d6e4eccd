"""The public contract: servicers that convert, call an operation, and convert back."""
