"""Search: proposing candidates (`grid`, `genetic`), scoring them over folds, and refitting the winner."""
