"""Small networks on two moons, many of one shape at once."""
