"""Many runs of one question."""
