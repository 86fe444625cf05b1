"""This machine and machines over SSH, behind one interface."""
