"""Static files as they are sent."""
