"""Data to learn and to test with: the ECSI mobile phone study as moments, and a simulated service company."""

from __future__ import annotations

from satmodels.datasets.ecsi import EcsiStudy, load_ecsi
from satmodels.datasets.service import ServiceStudy, simulate_service
from satmodels.datasets.service_truth import ServiceTruth

__all__ = ["EcsiStudy", "ServiceStudy", "ServiceTruth", "load_ecsi", "simulate_service"]
