"""The shapes that pass between rooms, the tables they become, and the run folder."""
