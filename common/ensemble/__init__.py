"""Soft voting of several learners: members, out-of-fold predictions, weights and the joint pipeline."""
