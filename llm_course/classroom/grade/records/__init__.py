"""A class: who is graded, by whom, what is kept, and nbgrader's gradebook."""
