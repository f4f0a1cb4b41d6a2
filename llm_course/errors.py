"""The error that ends a command with one line and exit code 2.

A `CourseError` is a problem that its reader can mend: a package that is missing, a file that is
truncated, a name that is unknown. Its message says what was expected, what came and what to do.
Everything else is a defect of the course and keeps its traceback.
"""


class CourseError(Exception):
    """A problem the user can mend; the message is shown as one line, without a traceback.

    >>> raise CourseError("SCALE: expected cpu or gpu, got 'tpu'. Fix: make book SCALE=cpu")
    Traceback (most recent call last):
    ...
    llm_course.errors.CourseError: SCALE: expected cpu or gpu, got 'tpu'. Fix: make book SCALE=cpu
    """
