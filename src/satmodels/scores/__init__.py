"""NPS, CSAT, CES, CSI, SERVQUAL, indicators, comparisons, trends and RFM."""
