"""Presentation: filters, figures, charts, error pages, files to download."""
