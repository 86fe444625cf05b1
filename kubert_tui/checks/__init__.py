"""Pure functions from facts to findings. No input, no output, no clock."""
