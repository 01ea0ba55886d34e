"""From tables of series to windows: calendar, checks, filling, batches."""
