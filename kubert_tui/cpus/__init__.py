"""Which CPUs do what: topology, the plan of housekeeping and isolated CPUs, and what goes where."""
