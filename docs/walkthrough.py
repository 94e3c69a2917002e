# %% [markdown]
# # The same work as a library
#
# `main` chains steps and tracks them. Here is what they compute, by hand: describe, split, vectorise,
# search by grid, search by a genetic algorithm, refit. Functions of `common` take frames and plain values
# and give them back; nothing here is kept, and nothing is tracked.
#
# VS Code opens this file as a notebook as it is, Jupyter with jupytext; the kernel is `.venv`'s Python.

# %%
import sys

sys.path += [".", ".."]  # the project's folder, whether the kernel runs in it or in docs/

import pandas as pd

from common.data.describe import describe
from common.data.fetch import locate
from common.data.read import read
from common.data.spec import load_spec
from common.data.stratify import stratify
from common.learning.learners import get_learner
from common.learning.metrics import scores
from common.learning.vectorizer import feature_names, fit_vectorizer, vectorize
from common.machine.spark import get_session
from common.search.breeding import Breeding
from common.search.engines.choice import make_engine
from common.search.findings.candidates import parse_candidates
from common.search.findings.find import find
from common.search.findings.words import headline
from common.search.folds import assign_fold_rank, fold_data
from common.search.genetic import GeneticSearch
from common.search.grid import GridSearch
from common.search.result import candidates_table, ranked
from common.search.search import Search
from common.search.space import make_space
from common.search.winner import model_table, refit
from common.store.conf import load_grid, load_space

# %% [markdown]
# What to turn. `source` is a file or URI, or `auto`: the data set's home, or the built-in sample without
# a network. `grid` is a name under `conf/grids`, a file, or JSON.

# %% tags=["parameters"]
source, grid, folds, metric, seed = "auto", "gbt_coarse", 5, "roc_auc", 42
generations, population = 5, 16

# %% [markdown]
# ## Describe
#
# Every column in one pass, however many rows there are.

# %%
spec = load_spec("adult")
people = read(get_session(), spec, locate(spec, source)).cache()
describe(people, spec.missing)

# %% [markdown]
# ## Split
#
# Each stratum gives exactly floor(n x 0.7) of its rows to train, and the same rows whatever the
# partitions. A workflow keeps both sides as Parquet; here they stay in memory.

# %%
parts = stratify(people, spec.strata, train_ratio=0.7, seed=seed)
train, test = parts.train.cache(), parts.test.cache()
parts.summary

# %% [markdown]
# ## Vectorise
#
# Fitted on the training rows alone. The folds are assigned once too, so that all searches see the same.

# %%
vectorizer = fit_vectorizer(train, spec, encoding="onehot")
folded = vectorize(assign_fold_rank(train, spec.label, seed), vectorizer, spec)
pd.DataFrame({"feature": feature_names(vectorizer, spec, "onehot")})

# %% [markdown]
# ## Search a grid
#
# An engine scores candidates over the folds; each comes as soon as it is scored.

# %%
learner, data = get_learner("gbt"), fold_data(folded, folds)
engine = make_engine("boosting", data, learner, seed, parallelism=0)
search = Search(engine)
proposer = GridSearch(load_grid(grid, learner), learner)
proposer.propose(search)
table = candidates_table(search.results, metric)
shown = [f"val_{metric}", f"val_{metric}_std", "val_accuracy", "val_f1", "fit_seconds"]
table[[*proposer.names, *shown]].head(10)

# %% [markdown]
# What the grid tells of its hyperparameters:

# %%
headline(find(parse_candidates(table.to_csv(index=False)), learner.parameters))

# %% [markdown]
# ## Search a space by a genetic algorithm
#
# It asks for a generation and is told its scores, on the same folds by the same engine.

# %%
space = make_space(load_space("auto", learner), learner)
genetic = GeneticSearch(space, metric, Breeding(population, generations=generations), seed)
genetic.propose(search)
genetic.table()

# %% [markdown]
# ## The winner
#
# Refitted by Spark's own estimator on all training rows; only now are the test rows looked at.

# %%
winner = ranked(search.results, metric)[0]
model = refit(winner.parameters, learner, data, seed)
pd.DataFrame({winner.name: scores(model_table(model, vectorize(test, vectorizer, spec)))})
