"""Mechanisms: what a plugin author writes, and the tables that drive every run."""

from typing import Any

Env = Any
"""What a law receives: a `HopEnv` in a hop law, a `SiteEnv` in a one-site law."""
