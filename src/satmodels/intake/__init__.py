"""The one door for data: the only place that knows dataframe libraries."""
