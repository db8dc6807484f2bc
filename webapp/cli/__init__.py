"""Command-line interface: ``steady-hands`` and its subcommands."""
