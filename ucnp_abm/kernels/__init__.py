"""The compiled loops, made of plain functions in small files; nothing else in the package imports numba."""
