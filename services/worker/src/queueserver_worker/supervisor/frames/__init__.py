"""The form in which frames travel between supervisor and environment (environment_channel.proto).

What comes from the environment is untrusted. Guarantees: it becomes a message of the contract, with every field of
the type and in the range that the contract says, or it is refused with BadFrameError; nothing else is raised, and it
takes no more memory than its limits on bytes and values allow.
"""
