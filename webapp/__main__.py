"""``python -m webapp`` is the command ``steady-hands``."""

from webapp.cli.main import main

main()
