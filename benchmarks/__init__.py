"""What is timed, how it is timed, and beside what. ``make bench`` runs it all."""
