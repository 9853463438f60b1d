"""Weights of one's own: whether what is in S3 is a Mistral 7B that the container loads."""

import json
from collections.abc import Iterator
from typing import Any

from mistral7b.environment.schema import Artifact
from mistral7b.operate.calls import ask
from mistral7b.tgi.memory import WEIGHT_BYTES

_CONFIG = {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "hidden_size": 4096}
_CONFIG |= {"intermediate_size": 14_336, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8}
_CONFIG |= {"vocab_size": 32_000, "quantization_config": None}
"""Of config.json, for which `mistral7b.tgi` has the launcher's rules, the GPU's memory and the tokens of a prompt."""
_SAVE = "copy all that save_pretrained writes, of the model and of its tokenizer"


def look_into(s3: Any, artifact: Artifact, owner: str) -> Iterator[tuple[bool, str, str]]:
    """Whether a deployment would fail, why, and the fix. Of an archive only the size is read."""
    bucket, _, key = artifact.uri.removeprefix("s3://").partition("/")
    where = {"Bucket": bucket, "ExpectedBucketOwner": owner}
    answer = ask(s3.list_objects_v2, "NoSuchBucket", **where, Prefix=key, Delimiter="/") or {}
    sizes = {one["Key"].removeprefix(key): one["Size"] for one in answer.get("Contents", ())}
    prefix = key.endswith("/")
    loaded = sum(size for name, size in sizes.items() if name.endswith(".safetensors") or name == "")
    least = (0.99 if prefix else 0.5) * WEIGHT_BYTES
    if not least < loaded < 1.1 * WEIGHT_BYTES:
        what = "*.safetensors have" if prefix else "the archive has"
        reason = f"{what} {loaded / 1e9:.1f} GB, and Mistral 7B in half precision {WEIGHT_BYTES / 1e9:.1f} GB"
        fix = "copy every shard of a model in half precision; merge an adapter into the model first"
        yield loaded < least, reason, fix
    if not prefix:
        return
    if "tokenizer.json" not in sizes:
        reason = "there is no tokenizer.json, without which TGI does not count the tokens of a prompt"
        yield "tokenizer.model" not in sizes, reason, _SAVE
    answer = ask(s3.get_object, "NoSuchKey|NoSuchBucket", **where, Key=f"{key}config.json")
    try:
        config = dict(json.loads(answer["Body"].read(1 << 20) if answer else b""))
    except (ValueError, TypeError):
        yield True, "there is no config.json, or it is not a JSON object", _SAVE
        return
    if wrong := [one for one in _CONFIG if config.get(one) != _CONFIG[one]]:
        told = "; ".join(f"{one} {config.get(one)}, not {_CONFIG[one]}" for one in wrong)
        fix = "use a fine-tuned Mistral 7B v0.1 that is not quantized"
        yield wrong != ["vocab_size"], f"config.json is not that of a Mistral 7B in half precision: {told}", fix
