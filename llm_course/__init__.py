"""The companion package of the course *Fundamentals and Adaptation of LLMs, end to end*."""
