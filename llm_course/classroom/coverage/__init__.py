"""What of the course exists: the topics, the evidence for each, and the page that shows it."""
