"""XML as libvirt reads and writes it: built as elements, never as text."""

import xml.etree.ElementTree as ET

from kubert_tui.base.errors import KubertError

NAMESPACE = "https://kubert-tui.invalid/machine/1"
"""Of what we put into the metadata of a domain."""
SIZE_LIMIT = 4 * 1024 * 1024

ET.register_namespace("kubert", NAMESPACE)

Element = ET.Element


def element(tag: str, text: str = "", /, **attributes: object) -> Element:
    """Return an element that belongs nowhere yet."""
    made = ET.Element(tag, {name: str(value) for name, value in attributes.items()})
    if text:
        made.text = text
    return made


def add(parent: Element, tag: str, text: str = "", /, **attributes: object) -> Element:
    """Append a new element to `parent` and return it."""
    made = element(tag, text, **attributes)
    parent.append(made)
    return made


def within(parent: Element, tag: str) -> Element:
    """Return the first child called `tag`, made if there is none."""
    found = parent.find(tag)
    return add(parent, tag) if found is None else found


def own(tag: str) -> str:
    """Return the name of an element in our namespace."""
    return f"{{{NAMESPACE}}}{tag}"


def parse(text: str) -> Element:
    """Return the root element of what libvirt says. KubertError if it is no XML of libvirt's."""
    # Documents that grow when they are read need a DOCTYPE, and libvirt never writes one.
    if len(text) > SIZE_LIMIT or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise KubertError("libvirt's answer is no plain XML", fix="see which program answers there")
    try:
        return ET.fromstring(text)  # noqa: S314 -- without DOCTYPE nothing can expand
    except ET.ParseError as error:
        raise KubertError(f"libvirt's answer is no XML: {error}") from None


def text_of(root: Element) -> str:
    """Return the element as indented text."""
    copy = ET.fromstring(ET.tostring(root))  # noqa: S314 -- our own
    ET.indent(copy)
    return ET.tostring(copy, encoding="unicode") + "\n"
