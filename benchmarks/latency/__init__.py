"""What watching a measurement costs, as ratios within one run: `python -m benchmarks.latency`."""
