"""Reading what an author writes: a chapter's text, its exercises, and the conventions they keep."""
