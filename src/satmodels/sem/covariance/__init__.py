"""Covariance structure models by maximum likelihood and its relatives."""
