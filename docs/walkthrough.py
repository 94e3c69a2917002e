# %% [markdown]
# # The same work as a library
#
# `main` chains steps and tracks them. This notebook computes the same with the library: describe, split,
# vectorise, search a grid, search with a genetic algorithm, refit. The functions of `common` take frames
# and plain values and return them. Nothing is stored or tracked.
#
# VS Code opens this file as a notebook; Jupyter needs jupytext. Use the Python of `.venv` as the kernel.

# %%
import sys

sys.path += [".", ".."]  # the project's folder, whether the kernel runs in it or in docs/

import pandas as pd

from common.data.describe import describe
from common.data.fetch import locate
from common.data.read import read
from common.data.spec_yaml import load_spec
from common.data.stratify import stratify
from common.learning.learners import get_learner
from common.learning.metrics import scores
from common.learning.vectorizer import feature_names, fit_vectorizer, vectorize
from common.machine.spark import get_session
from common.search.breeding import Breeding
from common.search.engines.choice import Choice, make_engine
from common.search.findings.candidates import parse_candidates
from common.search.findings.find import find
from common.search.findings.words import headline
from common.search.folds import assign_fold_rank, fold_data
from common.search.genetic import GeneticSearch
from common.search.grid import GridSearch
from common.search.refit import refit_winner
from common.search.result import candidates_table, ranked
from common.search.search import Search
from common.search.space import make_space
from common.search.winner import model_table
from common.store.conf import load_grid, load_space

# %% [markdown]
# The parameters. `source` is a file or URI, or `auto`: a download, or the built-in sample if there is no
# network. `grid` is a name under `conf/grids`, a file, or JSON.

# %% tags=["parameters"]
source, grid, folds, metric, seed = "auto", "gbt_coarse", 5, "roc_auc", 42
generations, population = 5, 16

# %% [markdown]
# ## Describe
#
# All columns in one pass, whatever the number of rows.

# %%
spec = load_spec("adult")
people = read(get_session(), spec, locate(spec, source)).cache()
describe(people)

# %% [markdown]
# ## Split
#
# Exactly floor(n x 0.7) rows of each stratum become training rows, and always the same ones, however the
# frame is partitioned. A workflow stores both sides as Parquet; here they stay in memory.

# %%
parts = stratify(people, spec.strata, train_ratio=0.7, seed=seed)
train, test = parts.train.cache(), parts.test.cache()
parts.summary

# %% [markdown]
# ## Vectorise
#
# The vectoriser is fitted on the training rows alone. The folds are assigned once, so all searches see
# the same ones.

# %%
vectorizer = fit_vectorizer(train, spec, encoding="onehot")
folded = vectorize(assign_fold_rank(train, spec.label, seed, spec.task), vectorizer, spec)
pd.DataFrame({"feature": feature_names(vectorizer, spec)})

# %% [markdown]
# ## Search a grid
#
# An engine scores the candidates over the folds, and yields each as soon as it is scored.

# %%
learner, data = get_learner("gbt"), fold_data(folded, folds, spec.target)
engine = make_engine(Choice("boosting", "as asked"), data, learner, seed)
search = Search(engine)
proposer = GridSearch(load_grid(grid, learner), learner)
search.run(proposer)
table = candidates_table(search.results, metric)
shown = [f"val_{metric}", f"val_{metric}_std", "val_accuracy", "val_f1", "fit_seconds"]
table[[*proposer.names, *shown]].head(10)

# %% [markdown]
# What the grid shows about its hyperparameters:

# %%
headline(find(parse_candidates(table.to_csv(index=False)), learner.parameters))

# %% [markdown]
# ## Search a space with a genetic algorithm
#
# It proposes a generation and receives its scores, from the same engine on the same folds.

# %%
space = make_space(load_space("auto", learner), learner)
genetic = GeneticSearch(space, metric, Breeding(population, generations=generations), seed)
search.run(genetic)
genetic.table()

# %% [markdown]
# ## The winner
#
# The engine that scored the best candidate fits it on all training rows, as a model of Spark, and the
# check compares the two on every row. The test rows are used here for the first time.

# %%
winner = ranked(search.results, metric)[0]
fitted = refit_winner(winner.parameters, learner, data, seed, search.engine)
unseen = vectorize(test, vectorizer, spec)
fitted.check([data.frame, unseen])
pd.DataFrame({winner.name: scores(model_table(fitted.model, unseen, spec.target))})
