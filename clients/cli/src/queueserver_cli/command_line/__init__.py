"""The grammar of qserver: commands, options, help and completion."""
