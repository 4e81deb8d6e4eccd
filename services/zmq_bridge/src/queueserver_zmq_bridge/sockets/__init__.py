"""The two sockets, and what is on them: frames, encodings, encryption."""
