"""What a worker runs: one job, by the name of its step. It imports no more than jobs need."""

from llm_course.recipes.data_build import filtering, mixing, reading, tokenizing
from llm_course.recipes.data_build.job import from_text


def work(text: str) -> str:
    """Do one job and return its key.

    Raises:
        CourseError: it found something that the user can mend.
    """
    job = from_text(text)
    # filter-0, filter-1, ... are one step for each segment.
    name = job.step.partition("-")[0]
    {
        reading.STEP: reading.read_corpus,
        "filter": filtering.filter_piece,
        tokenizing.STEP: tokenizing.tokenize_piece,
        mixing.STEP: mixing.write_piece,
    }[name](job)
    return job.key
