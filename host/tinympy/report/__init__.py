"""What records look like to a reader; one format a file."""
