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
told() { .venv/bin/python -c 'import json, sys; print(json.load(open("review.json"))[sys.argv[1]])' "$1"; }
{ echo '```'; told changes; echo '```'; } | tee -a "$GITHUB_STEP_SUMMARY"
case "$(told broadens)" in
  True) echo 'broadens=true' >> "$GITHUB_OUTPUT" ;;
  False) echo 'broadens=false' >> "$GITHUB_OUTPUT" ;;
  *) echo '::error::the review does not say whether rights are broadened'; exit 1 ;;
esac
"""
"""Whether a human has to look is the step's output; what would change is in the run's summary."""

APPROVED = """\
echo "The changes of rights in $ENVIRONMENT are approved."
"""
