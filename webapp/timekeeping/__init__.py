"""The clock, signs of life, and who watched a session."""
