"""The rules between settings that the TGI 1.1.0 container applies at start-up, in its order and with its own words.

`launcher_rules.json` has the texts, by the stage that ends. Sources, of text-generation-inference 1.1.0:
`launcher/src/main.rs` for the rules of the launcher; for those of a shard `server/text_generation_server/cli.py`,
`utils/dist.py`, `utils/layers.py`, `utils/weights.py` and `models/custom_modeling/flash_mistral_modeling.py`; for those
of warm-up `models/flash_causal_lm.py` and `router/src/main.rs`.
"""

import json
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from typing import NamedTuple

from mistral7b.tgi.memory import GPU
from mistral7b.tgi.settings import LauncherArguments

ATTENTION_HEADS = 32
"""Attention heads of Mistral 7B: shards get equal shares of them."""


class Stage(Enum):
    """Which program of the container stops."""

    ENTRY_POINT = "entry point"
    ARGUMENTS = "arguments"
    LAUNCHER = "launcher"
    DOWNLOAD = "download"
    SHARD = "shard"
    WARM_UP = "warm-up"
    ROUTER = "router"


class Host(NamedTuple):
    """Where the container runs. What is None is not checked."""

    gpus: int | None = None
    gpu: str | None = None
    network: bool = True


@dataclass(frozen=True)
class LauncherProblem:
    """One reason for which the container does not start.

    `reason` and `fix` are for the person who set `variable` to `value`; `message` is what the program of `stage` says.
    """

    variable: str
    value: str
    reason: str
    fix: str
    stage: Stage
    message: str


_TEXTS: dict[str, dict[str, dict[str, str]]] = json.loads((files(__package__) / "launcher_rules.json").read_bytes())
_BROKEN: dict[str, Callable[[LauncherArguments, Host], bool | None]] = {
    "prompt_fills_total": lambda s, _: s.max_input_length >= s.max_total_tokens,
    "prefill_below_prompt": lambda s, _: s.max_input_length > s.max_batch_prefill_tokens,
    "no_workers": lambda s, _: s.validation_workers == 0,
    "no_shard": lambda s, _: s.sm_num_gpus == 0,
    "sharded_alone": lambda s, _: s.sharded == "true" and s.sm_num_gpus == 1,
    "batch_below_prefill": lambda s, _: _over(s.max_batch_prefill_tokens, s.max_batch_total_tokens),
    "batch_below_total": lambda s, _: _over(s.max_total_tokens, s.max_batch_total_tokens),
    "ngrok_without_token": lambda s, _: s.ngrok and s.ngrok_authtoken is None,
    "ngrok_without_edge": lambda s, _: s.ngrok and s.ngrok_edge is None,
    "download": lambda s, host: not host.network and not s.hf_model_id.startswith("/"),
    "dtype_and_quantize": lambda s, _: s.dtype is not None and s.quantization is not None,
    "unquantized_weights": lambda s, _: s.quantization in ("awq", "gptq"),
    "no_eetq": lambda s, _: s.quantization == "eetq",
    "uneven_shards": lambda s, _: s.sm_num_gpus > 0 and ATTENTION_HEADS % s.sm_num_gpus != 0,
    "no_memory": lambda s, _: s.cuda_memory_fraction == 0,
    "invalid_fraction": lambda s, _: not 0 <= s.cuda_memory_fraction <= 1,
    "too_few_gpus": lambda s, host: _over(s.sm_num_gpus, host.gpus),
    "weights_over_memory": lambda s, host: _modelled(s, host) and s.longest_prefill == 0,
    "prefill_over_memory": lambda s, host: _modelled(s, host) and 0 < s.longest_prefill < s.max_batch_prefill_tokens,
    "total_over_memory": lambda s, host: (
        _modelled(s, host) and s.max_batch_prefill_tokens <= s.longest_prefill and s.max_total_tokens > s.cache_tokens
    ),
}


def _over(value: int, limit: int | None) -> bool:
    return limit is not None and value > limit


def _modelled(s: LauncherArguments, host: Host) -> bool:
    """Whether the performance model covers the memory: one unquantized shard on the GPU that was measured."""
    return host.gpu == GPU and s.sm_num_gpus == 1 and s.quantization is None and 0 < s.cuda_memory_fraction <= 1


def check(s: LauncherArguments, host: Host, unreadable: Set[str]) -> Iterator[LauncherProblem]:
    """The rules that settings break, but for those that read an unreadable variable.

    A rule's `variables` are those that it reads. The first that is set is the one to change.
    """
    for stage, rules in _TEXTS.items():
        for name, rule in rules.items():
            variables = rule["variables"].split()
            if unreadable.isdisjoint(variables) and _BROKEN[name](s, host):
                variable = next(one for one in variables if getattr(s, one.lower()) is not None)
                reason, fix, message = (rule[text].format(s=s, host=host) for text in ("reason", "fix", "message"))
                yield LauncherProblem(variable, str(getattr(s, variable.lower())), reason, fix, Stage(stage), message)
