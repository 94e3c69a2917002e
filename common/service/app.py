"""What uvicorn runs: the application around the model that MLflow's variable names."""

import gc

from .lean import model_to_serve

# Before MLflow, of which a portable model needs less than all.
FOLDER = model_to_serve()

from .loading import application

app = application(FOLDER)
# What is loaded stays. Otherwise requests wait for a collection that walks through all of it, 60 ms.
gc.freeze()
