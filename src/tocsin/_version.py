"""The version, on its own so that any room may read it without importing the rest."""

__version__ = "0.1.0"
