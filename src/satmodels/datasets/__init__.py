"""Data to learn and to test with: the ECSI mobile phone study as moments, and a simulated service company."""

from __future__ import annotations

from satmodels.datasets.ecsi import EcsiStudy, load_ecsi

__all__ = ["EcsiStudy", "load_ecsi"]
