"""Settings of all tests."""

from hypothesis import settings

# The same examples in every run. `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("tests", max_examples=30, deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=500)
settings.load_profile("tests")
