"""The command ``steady-hands``."""
