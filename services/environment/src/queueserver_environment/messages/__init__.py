"""What the environment and its supervisor tell each other, as plain classes.

Classes and fields have the names of the contract's messages (environment_channel.proto and what it imports), which
describes them. A field that can be absent is None then; Timestamp and Duration are nanoseconds; Struct, Value and
ListValue are plain values; an enum has the contract's numbers and its names without their prefix.
"""
