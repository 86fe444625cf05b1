"""Widgets of the wizard, one per file. They show what they are given and decide nothing."""
