"""What was asked and answered: items, scales, checks, preparation, weights, files, privacy."""
