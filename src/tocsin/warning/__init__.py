"""Warnings: launch and impact estimates, types, evidence, what partners say, and the life of a warning."""
