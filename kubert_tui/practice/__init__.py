"""Throw-away machines on this computer, so that nobody learns on servers. UI-free."""
