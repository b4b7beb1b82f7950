"""One exact trajectory: protocol, simulation, what an event was, and how it is written down."""
