"""What shows one simulation to one person: who may ask, what a breakpoint means, and the socket of the page."""
