"""A whole satisfaction study from one command: ``python -m satmodels.demo``."""
