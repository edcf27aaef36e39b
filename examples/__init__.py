"""Programs that show what the library does; each runs as `python -m examples.<name>`."""
