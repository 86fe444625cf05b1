"""What is true of a host: one round trip gathers it, parsers make it typed facts."""
