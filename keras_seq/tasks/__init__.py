"""What a task alone needs, one folder each; and the ending that all share."""
