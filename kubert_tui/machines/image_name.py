"""The name of the volume that a lab's machines start from: another one for another image."""

import hashlib
import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from kubert_tui.lab.image import ImageSpec
from kubert_tui.lab.model import Lab
from kubert_tui.machines.guest import BASE
from kubert_tui.practice.cloud_image import recipe_key

_LONGEST = 60


def base_volume(lab: Lab) -> str:
    """Return the name of the lab's base volume in the pool, the same on every host.

    Pure: it follows from the image's sum where the lab file has one, else from what it is made
    of (built) or where it comes from (a local file, a box).
    """
    image = lab.image
    stem, identity = _parts(image)
    clean = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:_LONGEST] or "image"
    return f"{BASE}{clean}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def _parts(image: ImageSpec) -> tuple[str, str]:
    """Return a part of the name for people, and all that it depends on."""
    wanted = str(image.wanted or "")
    match image.source:
        case "cloud":
            return PurePosixPath(urlsplit(image.published).path).stem, wanted
        case "vagrant":
            of = (image.box_name, image.box_version, image.box_address, wanted)
            return f"vagrant-{image.box_name}-{image.box_version}", "\n".join(of)
        case "local":
            return PurePosixPath(image.path).stem, wanted or image.path
        case "built":
            return "debian-12-built", recipe_key()
