"""Certificates: the site's own authority, or files given by the operator."""
