"""Scores of finished predictions, cheap baselines to stand beside, and figures."""
