"""Compiled loops. Each file compiles alone; nothing else in the package imports numba."""
