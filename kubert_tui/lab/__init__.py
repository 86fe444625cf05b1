"""The lab file: which hosts, which kernel, which measurement, and what we may change."""
