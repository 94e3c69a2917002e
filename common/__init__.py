"""The library: plain functions on frames and values."""

from pathlib import Path

# The project's folder, and its name: of MLproject, of its experiment and of its Spark application.
ROOT = Path(__file__).parents[1]
PROJECT = "income"
