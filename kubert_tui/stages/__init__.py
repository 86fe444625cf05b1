"""The stages of the README, one file each, in the order of their file names."""
