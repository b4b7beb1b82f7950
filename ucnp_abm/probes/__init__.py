"""Probes: what an instrument or a statistician would read, from arrays alone."""
