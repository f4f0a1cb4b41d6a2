"""The students' notebooks: a chapter without its solutions and hidden tests."""
