"""What rows of characters are made of. Layouts need no more than this, and so no Textual."""

Run = tuple[str, str]
"""Text and what it is: one of the plot's kinds, or `` for nothing."""
