"""The physics that truth and estimators share: gravity, drag and thrust, orbits, ephemerides."""
