"""One servicer for each service of the contract: convert, call the operation, convert back."""
