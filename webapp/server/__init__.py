"""The production server in front of Flask."""
