"""cyclictest: its command, its output, its live histogram, its stored result."""
