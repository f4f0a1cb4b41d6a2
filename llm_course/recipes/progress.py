"""Progress bars, one for each step of a build."""

from tqdm import tqdm


class StepBars:
    """The bar of the step that runs; a new one for each step.

    Args:
        shown: whether there is somebody to see it.
    """

    def __init__(self, shown: bool) -> None:
        self.shown, self.step = shown, ""
        self.bar: tqdm | None = None

    def tell(self, step: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` jobs of a step are done."""
        if step != self.step or self.bar is None:
            self.close()
            self.step = step
            self.bar = tqdm(total=total, desc=step, unit="job", disable=not self.shown)
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        """End the bar."""
        if self.bar is not None:
            self.bar.close()
