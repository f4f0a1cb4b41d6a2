"""The commands `serve` and `chat`. What a command needs is imported when it runs."""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

Model = Annotated[
    str,
    typer.Option(help="A Hugging Face folder, a GGUF file, or smollm2 (SmolLM2-135M-Instruct)."),
]
Device = Annotated[str, typer.Option(help="cpu or cuda: where the model computes.")]


def serve(
    model: Model = "smollm2",
    device: Device = "cpu",
    host: Annotated[
        str, typer.Option(help="The address to listen at. The default is for this machine only.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 finds a free one.")] = 8000,
    max_tokens: Annotated[int, typer.Option(help="The most tokens of an answer.")] = 1024,
    max_body: Annotated[int, typer.Option(help="The longest request, in bytes.")] = 2**20,
    max_requests: Annotated[int, typer.Option(help="The most requests at a time.")] = 256,
    max_running: Annotated[int, typer.Option(help="The most answers written at a time.")] = 16,
    max_waiting: Annotated[int, typer.Option(help="The most answers that wait.")] = 256,
    blocks: Annotated[int, typer.Option(help="Blocks of 16 tokens in the cache.")] = 512,
    grace: Annotated[int, typer.Option(help="Seconds that answers have when it ends.")] = 10,
) -> None:
    """Serve a model by OpenAI's interface, for its clients; Ctrl-C ends."""
    from llm_course.decoding.engine_parts import EngineConfig
    from llm_course.serving.server import serve as run
    from llm_course.serving.server_config import ServerConfig

    config = _mendable(
        ServerConfig,
        host=host,
        port=port,
        max_new_tokens=max_tokens,
        max_body_bytes=max_body,
        max_requests=max_requests,
        shutdown_seconds=grace,
    )
    engine = _mendable(
        EngineConfig, n_blocks=blocks, max_running=max_running, max_waiting=max_waiting
    )
    run(_load(model, device), config, engine, tell=typer.echo)


def chat(
    model: Model = "smollm2",
    device: Device = "cpu",
    system: Annotated[str, typer.Option(help="What the model is told before all else.")] = "",
    max_tokens: Annotated[int, typer.Option(help="The most tokens of an answer.")] = 512,
    temperature: Annotated[float, typer.Option(help="0 always takes the likeliest token.")] = 0.2,
    top_k: Annotated[int, typer.Option(help="Keep so many of the likeliest; 0 keeps all.")] = 0,
    top_p: Annotated[float, typer.Option(help="Keep so much probability.")] = 0.9,
    min_p: Annotated[float, typer.Option(help="Keep this share of the likeliest's.")] = 0.0,
    typical_p: Annotated[float, typer.Option(help="Keep so much of the most typical.")] = 1.0,
    repetition_penalty: Annotated[float, typer.Option(help="Above 1: repeat less.")] = 1.0,
    frequency_penalty: Annotated[float, typer.Option(help="Per time a token occurred.")] = 0.0,
    presence_penalty: Annotated[float, typer.Option(help="Once for a token that occurred.")] = 0.0,
    stop: Annotated[
        list[str] | None, typer.Option(help="A text that ends the answer; may be repeated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Every random number follows from it.")] = 0,
) -> None:
    """Talk to a model in this terminal; /help says how."""
    from llm_course.decoding.continuation import GenerationConfig
    from llm_course.decoding.sampling import SamplingConfig
    from llm_course.decoding.text_stream import check_stop
    from llm_course.model.weight_layout import lay_out_by_columns
    from llm_course.serving.chat import HELP, Chat, Terminal

    sampling = _mendable(
        SamplingConfig, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p,
        typical_p=typical_p, repetition_penalty=repetition_penalty, seed=seed,
        frequency_penalty=frequency_penalty, presence_penalty=presence_penalty,
    )  # fmt: skip
    config = _mendable(
        GenerationConfig, max_new_tokens=max_tokens, stop=tuple(stop or ()), sampling=sampling
    )
    pretrained = _load(model, device)
    if device == "cpu":
        lay_out_by_columns(pretrained.model)  # one text at a time
    _mendable(check_stop, config.stop, pretrained.tokenizer)
    conversation = Chat(pretrained, config, system)
    typer.echo(f"{pretrained.name}. {HELP}")
    conversation.run(Terminal(_read_line, _write))


def add_to(app: typer.Typer) -> None:
    """Enter the commands."""
    for command in (serve, chat):
        app.command()(command)


def _load(name: str, device: str) -> Any:
    """The model that ``--model`` names."""
    from llm_course.model.grouped_query import grouped_query_attention
    from llm_course.pretrained.model_folder import load_folder
    from llm_course.pretrained.smollm2 import load_smollm2

    _check_device(device)
    if name == "smollm2":
        return load_smollm2(device, attend=grouped_query_attention)
    return load_folder(name, device)


def _check_device(device: str) -> None:
    import torch

    from llm_course.errors import CourseError

    if device not in ("cpu", "cuda"):
        raise CourseError(f"--device: expected cpu or cuda, got {device!r}. Fix: --device cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise CourseError("--device: expected a GPU for cuda, got none. Fix: --device cpu")


def _mendable(make: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Make something of what the user gave; what is refused is one line, without a traceback."""
    from llm_course.errors import CourseError

    try:
        return make(*args, **options)
    except ValueError as error:
        raise CourseError(f"{error} Fix: see --help") from error


def _read_line() -> str:
    """A line of standard input, with a prompt where somebody sits."""
    if sys.stdin.isatty():
        return input("> ")
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
