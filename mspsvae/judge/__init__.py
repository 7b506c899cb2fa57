"""Is a fit true? Scores, leakage, sessions that were never seen."""
