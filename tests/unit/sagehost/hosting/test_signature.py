"""Who calls, from the signature of a request."""

from sagehost.accounts import access_key_id
from sagehost.hosting.runtime import caller

SIGNED = (
    "AWS4-HMAC-SHA256 Credential={key}/20240101/eu-west-1/sagemaker/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date, Signature=abcdef"
)


def test_the_key_says_which_account_calls(url: str) -> None:
    assert caller(SIGNED.format(key=access_key_id("444455556666"))) == ("444455556666", "eu-west-1")
