"""Churn warning: windows, panel, features, split, classifier, money, reasons, reports."""
