"""ZeRO: data parallelism without the copies. Each rank looks after its slice of every unit.

- Stage 1: the optimizer's state is sliced. Gradients are whole until the backward pass has ended,
  then reduce-scattered; after the step the slices of the weights are all-gathered.
- Stage 2: so are the gradients. A block's are reduced as soon as they are there.
- Stage 3: so are the weights. A block's are gathered before its forward pass, forgotten, gathered
  again before its backward pass, and forgotten.

What belongs to no block (embedding, final norm, output) is the **root**: it is used first and last,
so stage 3 keeps it from the forward pass to the end of the backward pass.
"""

from torch import Tensor, nn

from llm_course.model.decoder import Decoder
from llm_course.parallel.collectives import broadcast
from llm_course.parallel.flat_unit import FlatUnit
from llm_course.parallel.group import Group
from llm_course.parallel.memory import bytes_of


class Zero:
    """Shards a decoder over the ranks that share the batch.

    In a step: ``begin``, forward and backward, ``finish``, the optimizer's step on the ``pieces``,
    ``publish``. All ranks begin with the weights of rank 0.

    Args:
        model: this rank's decoder; its parameters become views of the units' memory.
        group: the ranks that share.
        stage: 1, 2 or 3.

    Raises:
        ValueError: there is no such stage.

    Source:
        Rajbhandari et al. 2020, arXiv:1910.02054, section 5; stage 3 as in PyTorch's FSDP: Zhao et
        al. 2023, arXiv:2304.11277, section 3.
    """

    def __init__(self, model: Decoder, group: Group, stage: int) -> None:
        if stage not in (1, 2, 3):
            raise ValueError(f"stage: expected 1, 2 or 3, got {stage!r}.")
        for parameter in model.parameters():
            broadcast(parameter.data, group, purpose="first weights")
        self.stage, self.peak_parameter_bytes = stage, 0
        named = dict(model.named_parameters())
        self.blocks: list[FlatUnit] = []
        for index, block in enumerate(model.blocks):
            name = f"blocks.{index}."
            own = {key: named.pop(key) for key in list(named) if key.startswith(name)}
            own = {key: parameter for key, parameter in own.items() if parameter.requires_grad}
            if own:  # another stage of a pipeline has the others
                unit = FlatUnit(name[:-1], own, group, keep_whole=stage < 3)
                self.blocks.append(unit)
                self._attach(unit, block)
        rest = {name: parameter for name, parameter in named.items() if parameter.requires_grad}
        self.root = FlatUnit("root", rest, group, keep_whole=stage < 3) if rest else None

    @property
    def units(self) -> list[FlatUnit]:
        """The blocks, then the root if there is one."""
        return [*self.blocks, *([self.root] if self.root else [])]

    @property
    def pieces(self) -> list[tuple[str, nn.Parameter]]:
        """This rank's part of each parameter, which is what the optimizer sees."""
        return [named for unit in self.units for named in unit.pieces]

    def begin(self) -> None:
        """Forget the gradients, and gather the root."""
        for unit in self.units:
            unit.forget_gradients()
        if self.root:
            self._gather(self.root)

    def finish(self) -> None:
        """Reduce what has not been reduced: everything in stage 1, and the root.

        Raises:
            RankLost: a rank is not there.
        """
        for unit in self.units:
            has_new = any(parameter.grad is not None for parameter in unit.parameters.values())
            if has_new or unit.shard_gradient is None:
                unit.reduce()
            if self.stage == 3 and unit.is_whole:
                unit.release()

    def publish(self) -> None:
        """Send the new weights to the others; in stage 3 they are gathered when they are used."""
        if self.stage < 3:
            for unit in self.units:
                unit.publish()

    def parameter_bytes(self) -> int:
        """Bytes of weights on this rank at this moment."""
        return bytes_of(tensor for unit in self.units for tensor in (unit.memory, unit.shard))

    def gradient_bytes(self) -> int:
        """Bytes of gradients on this rank at this moment."""
        whole = [p.grad for unit in self.units for p in unit.parameters.values()]
        return bytes_of([*whole, *(unit.shard_gradient for unit in self.units)])

    def _gather(self, unit: FlatUnit) -> None:
        unit.gather()
        self.peak_parameter_bytes = max(self.peak_parameter_bytes, self.parameter_bytes())

    def _attach(self, unit: FlatUnit, block: nn.Module) -> None:
        """The hooks that gather, release and reduce a block."""
        if self.stage == 3:
            block.register_forward_pre_hook(lambda *_: self._gather(unit))
            block.register_forward_hook(lambda _, inputs, output: self._after(unit, output))
        if self.stage > 1:
            ready: set[str] = set()
            for name, parameter in unit.parameters.items():
                parameter.register_post_accumulate_grad_hook(
                    lambda _, name=name: self._count(unit, ready, name)
                )

    def _after(self, unit: FlatUnit, output: Tensor) -> None:
        """A block's forward pass has ended: its backward pass will need its weights again."""
        unit.release()
        if output.requires_grad:
            output.register_hook(lambda slope: self._gather(unit))

    def _count(self, unit: FlatUnit, ready: set[str], name: str) -> None:
        """A gradient is there; when all of a block's are, they are reduced."""
        ready.add(name)
        if len(ready) == len(unit.parameters):
            ready.clear()
            unit.reduce()
            if self.stage == 3:
                unit.release()
