"""Clock, signs of life, and presence of screens."""
