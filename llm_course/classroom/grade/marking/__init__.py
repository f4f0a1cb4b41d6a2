"""From the bytes that were handed in to a report, on the trusted side."""
