"""Entry point for ``python -m webapp``: runs the command ``steady-hands``."""

from webapp.cli.main import main

main()
