"""Outside formats: tables as CSV, a run as CZML."""
