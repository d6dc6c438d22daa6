"""The Earth: shape, frames, clock, gravity, air, Sun, geodesics; and the random streams and kernels of all rooms."""
