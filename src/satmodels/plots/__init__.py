"""Figures from results: matplotlib, and path diagrams as plain SVG and Mermaid."""
