"""What the workflow's steps run in bash. Values from outside come in variables: nothing is pasted into a script."""

PACK = """\
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf assembly.tar cdk.out
digest="$(sha256sum assembly.tar | cut -d ' ' -f 1)"
echo "digest=$digest" >> "$GITHUB_OUTPUT"
echo "cloud assembly of $GITHUB_SHA: SHA-256 $digest"
"""
"""One file with the same bytes for the same content; its digest goes to the jobs that deploy it."""

UNPACK = """\
echo "$DIGEST  assembly.tar" | sha256sum --check --strict
rm -rf cdk.out
tar -xf assembly.tar
"""
"""Nothing is unpacked but what the build packed."""

REVIEW = """\
.venv/bin/mistral7b pipeline review "$ENVIRONMENT" --assembly cdk.out --json > review.json
{ echo '```json'; cat review.json; echo '```'; } | tee -a "$GITHUB_STEP_SUMMARY"
broadens="$(.venv/bin/python -c 'import json; print(json.dumps(json.load(open("review.json"))["broadens"]))')"
if [ "$broadens" != true ] && [ "$broadens" != false ]; then
  echo "::error::the review does not say whether rights are broadened: $broadens"
  exit 1
fi
echo "broadens=$broadens" >> "$GITHUB_OUTPUT"
"""
"""Whether a human has to look is the step's output; what would change is in the run's summary."""

APPROVED = """\
echo "The changes of rights in $ENVIRONMENT are approved."
"""
