"""The actions that the workflow uses, each at one commit: a tag can be moved, a commit cannot.

`git ls-remote https://github.com/REPOSITORY refs/tags/VERSION` tells the commit of another version.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """One action at one commit."""

    repository: str
    version: str
    """The tag that the commit has."""
    commit: str

    @property
    def uses(self) -> str:
        """What a step says."""
        return f"{self.repository}@{self.commit}"

    @property
    def source(self) -> str:
        """Where version and commit stand side by side."""
        return f"https://github.com/{self.repository}/releases/tag/{self.version}"


CHECKOUT = Action("actions/checkout", "v6.0.2", "de0fac2e4500dabe0009e67214ff5f5447ce83dd")
UPLOAD_ARTIFACT = Action("actions/upload-artifact", "v7.0.1", "043fb46d1a93c77aae656e7c1c64a875d1fc6a0a")
DOWNLOAD_ARTIFACT = Action("actions/download-artifact", "v8.0.1", "3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c")
CONFIGURE_AWS_CREDENTIALS = Action(
    "aws-actions/configure-aws-credentials", "v6.1.0", "ec61189d14ec14c8efccab744f656cffd0e33f37"
)
ACTIONS = (CHECKOUT, UPLOAD_ARTIFACT, DOWNLOAD_ARTIFACT, CONFIGURE_AWS_CREDENTIALS)
