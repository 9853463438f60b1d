"""What only the accounts can show: whether each is ready for the pipeline."""
