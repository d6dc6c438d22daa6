"""The comparison of a run with the truth, and questions to a run: outcomes, delays, errors, what was known when."""
