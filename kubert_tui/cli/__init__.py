"""The command line: the headless face and the small commands."""
