"""The image that the lab's virtual machines start from."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from kubert_tui.base.download import Checksum
from kubert_tui.lab.image_presets import (
    DEFAULT_BOX,
    DEFAULT_BOX_URL,
    DEFAULT_PRESET,
    IMAGE_PRESETS,
)
from kubert_tui.lab.part import Part

_URL = r"^(https?://[^\s/]+/\S+)?$"
_SUMS = ("sha256", "sha512")
_OF_SOURCE = {
    "cloud": ("preset", "url", *_SUMS, "mirror", "checksums", "signature", "key"),
    "vagrant": ("box", "box_url", "box_version", *_SUMS),
    "local": ("path", *_SUMS),
    "built": (),
}
"""Which keys mean something with which source."""


class ImageSpec(Part):
    """Where the image comes from. One per lab: it becomes one base volume on every host."""

    source: Literal["cloud", "vagrant", "local", "built"] = Field(
        default="cloud",
        description="cloud: downloaded here, then brought to the hosts. vagrant: a box, added on "
        "the hosts. local: a file on this computer. built: Debian 12, made on this computer.",
    )
    preset: str = Field(
        default="", description=f"A known cloud image; {DEFAULT_PRESET} if there is no url either."
    )
    url: str = Field(default="", max_length=2000, pattern=_URL, description="An image of your own.")
    sha256: str = Field(
        default="", pattern=r"^([0-9a-f]{64})?$", description="Of the image, or of the box."
    )
    sha512: str = Field(default="", pattern=r"^([0-9a-f]{128})?$")
    mirror: str = Field(
        default="",
        max_length=2000,
        pattern=r"^(https?://[^\s/]+(/\S*)?)?$",
        description="Takes the place of the scheme and host of the image's address.",
    )
    checksums: str = Field(
        default="", pattern=_URL, description="A file of sums that has to name the image's."
    )
    signature: str = Field(
        default="",
        pattern=_URL,
        description="A detached signature: of checksums if given, else of the image.",
    )
    key: str = Field(
        default="",
        max_length=4000,
        description="File with the public key(s) that have to have signed; ~ is expanded. Without "
        "signature, checksums itself has to be signed (clearsigned, as Fedora's).",
    )
    path: str = Field(
        default="", max_length=4000, description="qcow2 or raw, for source local; ~ is expanded."
    )
    box: str = Field(
        default="",
        max_length=200,
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?)?$",
        description=f"Vagrant's name of a box; {DEFAULT_BOX} if empty.",
    )
    box_url: str = Field(
        default="",
        max_length=2000,
        pattern=r"^((https?://[^\s/]+/|file:///|/)\S+)?$",
        description="Where it lies: an address, or a path on the hosts; Vagrant's catalogue if "
        "empty (for the default box: Fedora's server).",
    )
    box_version: str = Field(
        default="",
        max_length=64,
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$",
        description="The newest that is there if empty.",
    )
    architecture: Literal["x86_64", "aarch64"] = Field(
        default="x86_64", description="As uname -m says on hosts that can run it with KVM."
    )

    @model_validator(mode="after")
    def _keys_fit(self) -> "ImageSpec":
        if what := self._trouble():
            raise PydanticCustomError("image", "{what}", {"what": what})
        return self

    def _trouble(self) -> str:
        fields = type(self).model_fields
        kept = (*_OF_SOURCE[self.source], "source", "architecture")
        stray = [key for key, value in self if key not in kept and value != fields[key].default]
        if stray:
            of = next(source for source, keys in _OF_SOURCE.items() if stray[0] in keys)
            return f"{stray[0]} is for source {of}, not {self.source}"
        own = bool(self.signature or self.checksums)
        rules = (
            (self.sha256 and self.sha512, "expected sha256 or sha512, not both"),
            (
                self.preset and self.preset not in IMAGE_PRESETS,
                f"expected a preset of {', '.join(IMAGE_PRESETS)}",
            ),
            (
                self.preset and (self.url or self.checksum),
                "expected a preset or a url with its sum, not both",
            ),
            (self.url and not self.checksum, "url needs its sha256 or sha512"),
            (
                self.checksum and self.source == "cloud" and not self.url,
                "a sum is for a url of your own: a preset has one",
            ),
            (
                own and not self.url,
                "checksums and signature are for a url of your own: a preset's sum is known",
            ),
            (bool(self.key) != own, "key goes with checksums or signature"),
            (
                self.box_url and self.box_version,
                "box_version is for a box of Vagrant's catalogue: a box_url has one version",
            ),
            (
                self.source == "vagrant" and self.checksum and not self.box_address,
                "a sum is for a box_url: Vagrant's catalogue has its own",
            ),
            (self.source == "local" and not self.path, "expected `path` for source local"),
            (
                self.source == "built" and self.architecture != "x86_64",
                "an image can be built for x86_64 only",
            ),
        )
        return next((what for wrong, what in rules if wrong), "")

    @property
    def checksum(self) -> Checksum | None:
        """What the lab file itself gives."""
        if self.sha512:
            return Checksum("sha512", self.sha512)
        return Checksum("sha256", self.sha256) if self.sha256 else None

    @property
    def wanted(self) -> Checksum | None:
        """The image's (or the box's) sum: a preset's, or the lab file's; None if none is known."""
        if self.source == "cloud" and not self.url:
            preset = IMAGE_PRESETS[self.preset or DEFAULT_PRESET]
            return Checksum(preset.algorithm, preset.digest)
        return self.checksum

    @property
    def published(self) -> str:
        """The address at which its publisher has the cloud image."""
        return self.url or IMAGE_PRESETS[self.preset or DEFAULT_PRESET].url

    @property
    def address(self) -> str:
        """The address from which the cloud image is fetched."""
        return self.mirrored(self.published)

    def mirrored(self, url: str) -> str:
        """Return `url` as the mirror has it."""
        if not self.mirror:
            return url
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{self.mirror.rstrip('/')}{parts.path}{query}"

    @property
    def box_name(self) -> str:
        """The box's name for Vagrant."""
        return self.box or DEFAULT_BOX

    @property
    def box_address(self) -> str:
        """Where Vagrant fetches the box; `` for its catalogue."""
        named = self.box or self.box_version
        return self.box_url or ("" if named else DEFAULT_BOX_URL)
