"""HTTP's grammar: text in, values out; no request, no response."""
