"""Amazon S3's managed prefix lists, so that a synth needs no look-up."""

from mistral7b.catalog.data import load


def s3_prefix_list_id(region: str) -> str | None:
    """Id of the prefix list of S3 in `region`, or None where it is not known."""
    ids: dict[str, str] = load("s3_prefix_lists.json")["ids"]
    return ids.get(region)
