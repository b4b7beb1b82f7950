"""The mechanisms that ship with ucnp_abm. They use the public door only, like anybody's plugin."""
