"""What templates need: filters, figures, charts, files to download."""
