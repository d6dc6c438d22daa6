"""Property tests call kernels, whose first call may compile: no deadline for a single example."""

from hypothesis import settings

settings.register_profile("kernels", deadline=None)
settings.load_profile("kernels")
