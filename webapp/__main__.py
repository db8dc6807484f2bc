"""``python -m webapp`` is the command ``steady-hands``."""

from webapp.cli import main

main()
