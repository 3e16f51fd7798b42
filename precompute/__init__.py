"""The experiments that made assets/, and their runner: `python -m precompute list`. See README.md beside this file."""
