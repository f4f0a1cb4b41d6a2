"""The words that a release leaves."""

from llm_course.classroom.release.stubs import HIDDEN_NOTICE, stub_line, stub_of


def test_the_stub_keeps_everything_around_the_solution() -> None:
    source = (
        "def f(x):\n    y = x\n    ### BEGIN SOLUTION\n    y += 1\n    return y\n"
        "    ### END SOLUTION\n\n\nprint(f)"
    )
    expected = f"def f(x):\n    y = x\n    {stub_line('ex-07-1-f')}\n\n\nprint(f)"
    assert stub_of(source, "ex-07-1-f") == expected


def test_the_stub_runs_and_raises() -> None:
    space: dict = {}
    exec(stub_of("def f():\n    ### BEGIN SOLUTION\n    ### END SOLUTION", "ex-07-1-f"), space)
    try:
        space["f"]()
    except NotImplementedError as error:
        assert str(error) == "ex-07-1-f: write your answer here"
    else:
        raise AssertionError("the stub must raise")


def test_the_notice_is_a_comment() -> None:
    compile(HIDDEN_NOTICE, "notice", "exec")
    assert HIDDEN_NOTICE.startswith("#")
