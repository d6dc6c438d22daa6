"""Command posts: a written doctrine, the people who may take its place, and the decisions that come of it."""
