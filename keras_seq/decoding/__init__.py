"""From what a model answers to what a person reads; callables in, no model."""
