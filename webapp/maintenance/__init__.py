"""Maintenance: backup, restore, export, import, deletion, also while the site serves."""
