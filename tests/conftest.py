"""Settings of all tests, and what they show at the end of a run."""

from hypothesis import settings

# The same examples in every run. `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("tests", max_examples=30, deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=500)
settings.load_profile("tests")


def pytest_terminal_summary(terminalreporter):
    """Print what tests recorded as "shown", also from the processes of pytest-xdist."""
    for report in terminalreporter.getreports("passed"):
        for name, text in report.user_properties:
            if name == "shown":
                terminalreporter.write_line(text)
