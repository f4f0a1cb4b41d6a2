"""Text files of one's own, read with a clear error for what is not text."""

from pathlib import Path

from llm_course.errors import CourseError


def read_text_file(path: str | Path) -> str:
    """The content of a UTF-8 file; a byte order mark at its start is dropped.

    Raises:
        CourseError: the file cannot be read, holds NUL bytes (a picture, an archive, UTF-16), or
            is not UTF-8.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "a.txt")
    >>> _ = path.write_text("café", encoding="utf-8")
    >>> read_text_file(path)
    'café'
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CourseError(
            f"{path}: expected a text file, got: {reason}. Fix: check the path."
        ) from error
    if b"\0" in data:
        raise CourseError(
            f"{path}: expected text in UTF-8, got a NUL byte at {data.index(0)}: this is no text "
            f"file. Fix: take it out of the corpus, or save it as UTF-8."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CourseError(
            f"{path}: expected text in UTF-8, got the byte {data[error.start]:#04x} at "
            f"{error.start}. Fix: iconv -f ENCODING -t UTF-8, with the encoding it was saved in."
        ) from error


def read_words(path: str | Path) -> list[str]:
    """The lines of a list of words: names, blocked words; empty lines and # comments left out.

    Raises:
        CourseError: the file is no text, or holds no word.
    """
    lines = [line.strip() for line in read_text_file(path).splitlines()]
    words = [line for line in lines if line and not line.startswith("#")]
    if not words:
        raise CourseError(f"{path}: expected one word a line, got none. Fix: fill the list.")
    return words
