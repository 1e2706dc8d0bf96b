"""Data orchestrators: each gathers from the services what one experience needs, and nothing else."""
