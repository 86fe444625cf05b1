"""What stored measurements mean: verdicts, comparisons. Pure functions, no terminal, no host."""
