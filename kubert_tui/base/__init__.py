"""Ground floor: errors, exit codes, paths, secrets and safe text. Imports nothing of ours."""
