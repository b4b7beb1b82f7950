"""Runs on disk: what is recorded and when, files that grow, checkpoints, and how a finished run is proved."""
