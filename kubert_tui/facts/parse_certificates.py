"""From certificates as they lie on a control plane to how long each of them is good for."""

import base64
import binascii

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from kubert_tui.base.text import clean_line
from kubert_tui.facts.cluster import Certificate
from kubert_tui.facts.fact import Fact, Known, Unknown

_DAY = 86_400


def certificates(lines: list[str]) -> Fact[tuple[Certificate, ...]]:
    """Return what `NAME BASE64` lines hold, after a first line with the host's clock.

    In kubeconfigs the base64 is that of a PEM file, else that of the certificate itself.
    """
    now, *rest = lines or [""]
    if not now.isdecimal():
        return Unknown("the host did not tell the time")
    found = []
    for line in rest:
        name, _, text = line.partition(" ")
        name = clean_line(name, limit=60)
        try:
            data = base64.b64decode(text.strip(), validate=True)
            pem = data.startswith(b"-----")
            one = (
                x509.load_pem_x509_certificate(data)
                if pem
                else x509.load_der_x509_certificate(data)
            )
        except (ValueError, binascii.Error):
            return Unknown(f"{name} is no certificate that we can read")
        left = one.not_valid_after_utc.timestamp() - int(now)
        found.append(Certificate(name, int(left // _DAY), one.fingerprint(SHA256()).hex()))
    return Known(tuple(found))
