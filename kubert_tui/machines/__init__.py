"""The lab's virtual machines: defined, compared with what is there, and run by libvirt."""
