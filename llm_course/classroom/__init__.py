"""The machinery of the course: from authored chapters to notebooks, releases, checks and pages."""
