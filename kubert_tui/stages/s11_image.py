"""Stage 11: the image that the virtual machines start from."""

from kubert_tui.checks import image
from kubert_tui.stages.image_change import ImageChange, observe
from kubert_tui.stages.model import Guide, Stage

STAGE = Stage(
    id="image",
    title="Image of the machines",
    guide=Guide(
        what="Brings the image that virtual machines start from to every host that runs some, as "
        "one base volume in libvirt's pool kubert-tui. It is downloaded to this computer (a "
        "download that breaks off goes on where it was), proved by its sum, kept in the cache, "
        "and sent to all hosts side by side. The lab file says which: image.preset, a url with "
        "its sha256 or sha512, a mirror, a file of this computer, one that is built here, or a "
        "Vagrant box.",
        why="Every disk is a copy-on-write copy of this one volume: machines are made in seconds, "
        "and on every host from the same bytes.",
        readme="vagrant box add fedora/cloud-base-33",
        ours="the cloud image debian-13 from cloud.debian.org, uploaded through libvirt. With "
        "image: {source: vagrant} in the lab file:\n"
        "vagrant box add --provider libvirt --name fedora/43-cloud-base URL",
        differs="The README's box was really called fedora/33-cloud-base, its release has had no "
        "updates since 2021, and Vagrant's catalogue has no newer ones: their address is Fedora's "
        "own server. Debian's image is the default because Debian has a PREEMPT_RT kernel for the "
        "machines, too, and Fedora has none.",
    ),
    checks=(image.PRESENT, image.ROOM, image.ARCHITECTURE),
    goals=frozenset({image.PRESENT.id}),
    change=ImageChange(),
    not_for=image.why_none,
    not_for_first=True,
    for_machines=True,
    observe=observe,
)
