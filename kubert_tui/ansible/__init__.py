"""Ansible behind one call: inventory, a runner in a child process, task results as values."""
