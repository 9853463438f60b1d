"""Who calls, from the signature of a request."""

from sagehost.accounts import access_key_id
from sagehost.validation import caller

SIGNED = (
    "AWS4-HMAC-SHA256 Credential={key}/20240101/eu-west-1/sagemaker/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date, Signature=abcdef"
)


def test_the_key_says_which_account_calls(url: str) -> None:
    key = access_key_id("444455556666")
    assert caller(SIGNED.format(key=key)) == {"access_key": key, "account": "444455556666", "region": "eu-west-1"}
