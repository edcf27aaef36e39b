"""The operations: each forward with its rules, each pair of adjoints side by side."""
