"""Steady Hands: a guided massage-session timer."""
