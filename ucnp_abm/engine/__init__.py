"""One exact trajectory: protocol, simulation, what an event was, and the way back."""
