"""What ``make security`` promises, one line each; a test carries ``@pytest.mark.promise(name)``."""

from __future__ import annotations

PROMISES = {
    "headers": "headers on every answer of every route with every status",
    "origins": "Host, Origin and cookie: nobody else is answered",
    "roles": "every route as every role, own and foreign session: no leak",
    "joining": "guesses let nobody in, one invite lets one device in",
    "requests": "bad requests: no 5xx, nothing changes",
    "browser": "attacks in a real browser are blocked",
    "outbound": "the server connects to nobody",
    "secrets": "no password in messages, logs and lists of processes",
    "elsewhere": "pages ask no other host",
    "marks": "MDN Observatory A+, 135 at least; csp_evaluator finds nothing",
}
