"""What was handed in: folders, flat exports, zips."""
