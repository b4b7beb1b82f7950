"""The crystal: species, lattices, sites and their places, particles, and the arrays that hold the state."""
