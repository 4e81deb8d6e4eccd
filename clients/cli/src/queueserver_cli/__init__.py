"""qserver: the Queue Server from the command line."""
