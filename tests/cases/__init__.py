"""One table of cases for the rules of a session, run by Python and in the browser.

``session.json`` holds ``plans``, each as ``webapp.domain.payload.bare`` gives it, and ``cases``:
``name``, ``plan`` (its place in the list), ``acts`` as ``[action, at, wish?]`` in ms, ``now``, and
what must come of it: ``gives`` (for each act the event, or the words of the refusal), ``state``
and ``view`` at ``now``, their values in the order of ``names``. Only inputs are thought up; what
comes of them is computed by ``generate``. ``make cases`` writes it again after a change of rules.
"""
