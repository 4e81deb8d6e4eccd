"""The screen of `qserver watch` in a terminal.

`display` takes events in and decides when to draw, `picture` puts the lines of a screen together from what `state`
knows, `screen` writes those that have changed. `estimate`, `plot`, `shares` and `look` are pure.
"""
