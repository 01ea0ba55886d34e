"""Scores to ids to text: samplers, loops, beams, CTC. They take callables."""
