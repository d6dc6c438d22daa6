"""The validation book: every claim a row with what was measured, what was asked, and from where."""
