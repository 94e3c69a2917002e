"""Search: candidates proposed (`grid`, `genetic`), scored over folds by an engine, and their winner."""
