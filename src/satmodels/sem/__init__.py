"""Structural satisfaction models: PLS path modelling and covariance structure models."""
