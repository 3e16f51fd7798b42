"""Parsers of uploaded files. They run in a child process with limits (`wsr.isolation`) and import no torch."""
