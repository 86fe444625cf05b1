"""Judges, plans, applies and verifies stages; emits events; keeps the journal. No face."""
