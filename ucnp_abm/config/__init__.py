"""Configurations: their sections, and the files that hold them."""
