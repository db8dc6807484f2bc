"""Backups, exports, restores and erasure, also while the site serves."""
