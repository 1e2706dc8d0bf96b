"""The JSON API under `/v1`: one resource a file, put together in `resources`."""
