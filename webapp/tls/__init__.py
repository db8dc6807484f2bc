"""Certificates: our own authority, or files from elsewhere."""
