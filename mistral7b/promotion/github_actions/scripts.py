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
status=0
.venv/bin/mistral7b pipeline review "$ENVIRONMENT" --assembly cdk.out --fail > review.txt || status=$?
{ echo '```'; cat review.txt; echo '```'; } | tee -a "$GITHUB_STEP_SUMMARY"
case "$status" in
  0) echo 'broadens=false' >> "$GITHUB_OUTPUT" ;;
  3) echo 'broadens=true' >> "$GITHUB_OUTPUT" ;;
  *) exit "$status" ;;
esac
"""
"""Whether a human has to look is the step's output; what would change is in the run's summary."""

APPROVED = """\
echo "The changes of rights in $ENVIRONMENT are approved."
"""
