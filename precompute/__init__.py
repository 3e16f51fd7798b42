"""The scripts that make assets/, in order, resumable, each a thin use of wsr. See README.md beside this file."""
