"""The screen of `qserver watch` in a terminal.

`display` takes events and decides when to draw, `picture` builds the lines of a screen from what `state`
knows, `screen` writes those that have changed. `estimate`, `plot`, `shares` and `look` are pure.
"""
