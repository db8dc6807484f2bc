"""Production server in front of Flask."""
