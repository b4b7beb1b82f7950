"""The debugger: what one person does with a simulation, who may ask, and the socket of the page."""
