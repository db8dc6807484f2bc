"""Static files and their compression."""
