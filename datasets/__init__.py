"""Data sets small enough to travel with the package; one folder a task, laid out as MLPerf Tiny's are."""
