"""What `nbgrader` reads when it is run in this repository; the settings are the package's own."""

from pathlib import Path

from llm_course.classroom.release.nbgrader_settings import settings, staging

c = get_config()  # noqa: F821 - nbgrader puts the function here
c.merge(settings(staging(Path(__file__).parent)))

# What being late costs; `llm-course grade --due CHAPTER=DATE` says when something was due.
# c.AssignLatePenalties.plugin_class = "llm_course.classroom.grade.records.late.PercentADay"
# c.PercentADay.percent = 10
