"""Token ids out of scores: samplers, the loop, beam search. They take callables."""
