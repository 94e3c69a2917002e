"""The library: plain functions on frames and values."""

from pathlib import Path

# The project's folder, and its name: of MLproject, of its experiment and of its Spark application.
ROOT = Path(__file__).parents[1]
PROJECT = "income"
# The data set of a workflow that is given nothing; its champion has the project's name.
DATASET = "adult"
CHAMPION_URI = f"models:/{PROJECT}@champion"
