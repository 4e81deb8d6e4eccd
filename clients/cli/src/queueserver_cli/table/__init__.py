"""The commands, one module for each noun. The order is that of the help."""
