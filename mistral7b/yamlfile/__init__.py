"""YAML files with typed fields: a mistake is reported with file, line, field, value, reason and fix.

Knows nothing of what the files are about.
"""

from mistral7b.yamlfile.problem import FieldPath, FileProblemsError, Problem, dotted, unique
from mistral7b.yamlfile.reader import read
from mistral7b.yamlfile.rulebook import Finding, Rulebook
from mistral7b.yamlfile.source import Source, overlay, without_nulls
from mistral7b.yamlfile.suggest import nearest, with_guess
from mistral7b.yamlfile.validation import FileKind, Section, pattern, reason_and_fix, refusal, validate_fields

__all__ = [
    "FieldPath", "FileKind", "FileProblemsError", "Finding", "Problem", "Rulebook", "Section", "Source", "dotted",
    "nearest", "overlay", "pattern", "read", "reason_and_fix", "refusal", "unique", "validate_fields", "with_guess",
    "without_nulls",
]  # fmt: skip
