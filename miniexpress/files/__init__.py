"""Files as responses."""
