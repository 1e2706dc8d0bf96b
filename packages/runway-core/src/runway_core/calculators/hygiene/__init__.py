"""Finding defects in the books: the checks, the runner, and the history of what they found."""
