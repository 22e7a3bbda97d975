"""Mergeable statistics, intervals, design-based variance, resampling of statistics."""
