"""Ways to look at a recorded computation: `snapshot` reads it once, `dot` and `render` draw it.

The engine does not import this package; `Graph`'s methods do, inside the call.
"""
