"""What the questions and verdicts do to people: words, shares, cases."""
