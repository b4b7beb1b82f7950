"""The paper's claims against the model: calibrated on two samples, predicted for all others, and scored.

The way of the data is one: `calibration.toml` (two samples) -> `calibrate` -> optics -> `predict` -> numbers ->
`scorecard`, which alone reads `claims.toml`, to print the paper beside the model. Nothing that computes knows a claim.
"""
