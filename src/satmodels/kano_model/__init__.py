"""Kano classification: tables, rules, coefficients, analysis."""
