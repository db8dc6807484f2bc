"""Measurements of the promises on speed and size, each beside its baseline in the same run."""
