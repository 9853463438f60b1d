"""The settings of the TGI 1.1.0 container on SageMaker: one typed field per environment variable.

Names, types and defaults are those of `launcher/src/main.rs` and `sagemaker-entrypoint.sh` of that version.
An environment file sets `LauncherSettings`; `LauncherArguments` adds what makes no sense on SageMaker. PORT is not
read: the entry point gives the port as an argument.
"""

import json
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from mistral7b.tgi import memory
from mistral7b.tgi.clap import U32_MAX, RustType
from mistral7b.tgi.other_names import reason_and_fix
from mistral7b.yamlfile import pattern

Quantization = Literal["awq", "eetq", "gptq", "bitsandbytes", "bitsandbytes-nf4", "bitsandbytes-fp4"]
Dtype = Literal["float16", "bfloat16"]
RopeScaling = Literal["linear", "dynamic"]

Usize = Annotated[int, Field(ge=0), RustType.USIZE]
U32 = Annotated[int, Field(ge=0, le=U32_MAX), RustType.U32]
F32 = Annotated[float, RustType.F32]
String = Annotated[str, RustType.STRING]
Flag = Annotated[bool, RustType.BOOL]


class _Variables(BaseModel):
    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", alias_generator=str.upper, use_attribute_docstrings=True
    )
    explain_unknown = staticmethod(reason_and_fix)
    """What an environment file's error says of a variable that is no field (`mistral7b.yamlfile`)."""


class LauncherSettings(_Variables):
    """Every setting of one container, with the container's own defaults. Fields are given by the variable's name.

    A range here is what the launcher can read: `mistral7b.tgi.rules` has what it then checks, and `LauncherOverrides`
    the narrower ranges of what makes sense.
    """

    hf_model_id: String = "/opt/ml/model"
    """Folder of the weights: /opt/ml/model, where SageMaker puts them. An environment file can give no other folder,
    and no model on the Hub, as the container has no network."""
    hf_model_revision: String | None = None
    """Commit or branch of a model on the Hub. It has no effect on weights in a folder."""
    sm_num_gpus: Usize = 1
    """GPUs that share the model, one shard on each; all that the instance has."""
    hf_model_quantize: Annotated[Quantization, RustType.CHOICE] | None = None
    """As QUANTIZE, and overrides it if both are set."""
    hf_model_trust_remote_code: Flag = False
    """Whether to run Python code that comes with the model."""
    validation_workers: Usize = 2
    """Threads that tokenize and check requests."""
    quantize: Annotated[Quantization, RustType.CHOICE] | None = None
    """Quantization of the weights as they are loaded. awq and gptq need weights quantized that way, and the image
    lacks eetq: they do not start."""
    dtype: Annotated[Dtype, RustType.CHOICE] | None = None
    """Number format of the weights, float16 unless set; not together with QUANTIZE."""
    max_concurrent_requests: Usize = 128
    """Maximum number of requests in flight; one more is refused with 429."""
    max_best_of: Usize = 2
    """Largest `best_of` that a request may ask for."""
    max_stop_sequences: Usize = 4
    """Maximum number of stop sequences of a request."""
    max_top_n_tokens: U32 = 5
    """Largest `top_n_tokens` that a request may ask for."""
    max_input_length: Usize = 1024
    """Maximum number of tokens of a prompt."""
    max_total_tokens: Usize = 2048
    """Maximum number of tokens of a prompt and its answer together."""
    waiting_served_ratio: F32 = 1.2
    """Ratio of waiting to running requests above which the server pauses generation to admit new prompts."""
    max_batch_prefill_tokens: U32 = 4096
    """Maximum number of prompt tokens in one prefill."""
    max_batch_total_tokens: U32 | None = None
    """Tokens that a running batch holds. With flash attention the container measures it and ignores the value."""
    max_waiting_tokens: Usize = 20
    """Decode steps after which waiting requests are admitted even below that ratio."""
    cuda_memory_fraction: F32 = 1.0
    """Share of the GPU's memory that the model may use, 0 to 1."""
    rope_scaling: Annotated[RopeScaling, RustType.CHOICE] | None = None
    """How rotary positions are stretched beyond the length of training."""
    rope_factor: F32 | None = None
    """How far rotary positions are stretched."""
    watermark_gamma: F32 | None = None
    """Share of the vocabulary that a watermarked answer prefers."""
    watermark_delta: F32 | None = None
    """How strongly a watermarked answer prefers that share."""

    @property
    def quantization(self) -> Quantization | None:
        """The quantization in force: the entry point puts HF_MODEL_QUANTIZE over QUANTIZE."""
        return self.hf_model_quantize or self.quantize

    @property
    def cache_tokens(self) -> int:
        """What the warm-up of one unquantized shard measures as MAX_BATCH_TOTAL_TOKENS, by the performance model."""
        return memory.cache_tokens(self.max_batch_prefill_tokens, self.cuda_memory_fraction)

    @property
    def longest_prefill(self) -> int:
        """The largest MAX_BATCH_PREFILL_TOKENS that warm-up has memory for; 0 if the weights do not fit."""
        return memory.longest_prefill(self.cuda_memory_fraction)


class LauncherArguments(LauncherSettings):
    """Every argument that the launcher reads from the environment, with the defaults of the SageMaker image."""

    sharded: Annotated[Literal["true", "false"], RustType.CHOICE] | None = None
    hostname: String = "container-0.local"
    shard_uds_path: String = "/tmp/text-generation-server"
    master_addr: String = "localhost"
    master_port: Usize = 29500
    huggingface_hub_cache: String = "/tmp"
    weights_cache_override: String | None = None
    disable_custom_kernels: Flag = False
    json_output: Flag = False
    otlp_endpoint: String | None = None
    cors_allow_origin: String | None = None
    ngrok: Flag = False
    ngrok_authtoken: String | None = None
    ngrok_edge: String | None = None


HINTS = get_type_hints(LauncherArguments, include_extras=True)
"""Each setting's annotation, whole."""

# What the container reads without complaint, and then refuses to start with, or every request, or runs out of sense.
_SENSIBLE = {
    "hf_model_id": Field(min_length=1),
    # A name that git takes; a `${Token[…]}` or `{{resolve:…}}` in it would be read by the CDK or CloudFormation.
    "hf_model_revision": pattern(
        r"[A-Za-z0-9._/-]{1,255}", "write a commit or branch: up to 255 letters, digits, hyphens and . _ /"
    ),
    "sm_num_gpus": Field(ge=1),
    "validation_workers": Field(ge=1),
    "max_concurrent_requests": Field(ge=1),
    "max_input_length": Field(ge=1),
    "waiting_served_ratio": Field(ge=0, allow_inf_nan=False),
    "cuda_memory_fraction": Field(gt=0, le=1),
    "rope_factor": Field(gt=0, allow_inf_nan=False),
    "watermark_gamma": Field(gt=0, lt=1),
    "watermark_delta": Field(allow_inf_nan=False),
}


# What an environment file may leave to the planner (mistral7b.environment.auto).
PLANNED = ("max_concurrent_requests", "max_input_length", "max_total_tokens", "max_batch_prefill_tokens")


def or_auto(schema: dict[str, Any]) -> None:
    """Lets a field's JSON schema have the word `auto`, too. It is replaced by a number before the field is read."""
    form = {key: schema.pop(key) for key in list(schema) if key not in ("title", "description", "default")}
    schema["anyOf"] = [*form.get("anyOf", [form]), {"enum": ["auto"], "type": "string"}]
    schema["description"] += " `auto` needs a `workload`."


def _optional_fields() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, field in LauncherSettings.model_fields.items():
        annotation: Any = Annotated[HINTS[name], _SENSIBLE[name]] if name in _SENSIBLE else HINTS[name]
        extra = or_auto if name in PLANNED else None
        fields[name] = (annotation | None, Field(None, description=field.description, json_schema_extra=extra))
    return fields


class LauncherOverrides(create_model("_Overrides", __base__=_Variables, **_optional_fields())):  # type: ignore[misc]  # from the fields above
    """Launcher variables to set. A variable that is left out keeps JumpStart's value, else the container's."""

    def to_environment(self) -> dict[str, str]:
        """Name and text of every variable that is set, as `PrimaryContainer.Environment` wants them."""
        set_values: dict[str, str | int | float | bool] = self.model_dump(by_alias=True, exclude_none=True)
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in set_values.items()}
