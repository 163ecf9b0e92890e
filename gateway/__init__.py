"""The HTTP face, and the composition root that wires everything."""
