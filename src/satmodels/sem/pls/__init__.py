"""PLS path modelling on the correlation matrix."""
