"""The exercise: the world, the nations, and the engine that moves them frame by frame."""
