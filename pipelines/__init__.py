"""The application: stages over a run directory, and the command line that chains them."""
