"""The model as data: specification, syntax, ready-made templates."""
