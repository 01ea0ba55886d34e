"""From raw text to token ids: cleaning, tokenizers, corpora, n-gram models."""
