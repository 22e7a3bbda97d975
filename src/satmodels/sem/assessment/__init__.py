"""Effects, fit, reliability and validity of a structural model."""
