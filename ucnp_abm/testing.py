"""Tests that every mechanism keeps, for the plugins of this project and for those of others."""
