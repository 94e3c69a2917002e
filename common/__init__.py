"""The library: plain functions on frames and values."""
