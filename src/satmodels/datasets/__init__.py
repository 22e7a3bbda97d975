"""Data that ships with the library: the ECSI study as moments, and a simulated service company."""
