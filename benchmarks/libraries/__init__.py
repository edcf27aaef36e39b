"""The jobs, written for each library in its own way."""
