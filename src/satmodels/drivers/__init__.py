"""Key drivers, asymmetry, importance-performance, priorities."""
