#!/bin/sh
# Called after each change of a boot entry. GRUB as Fedora has it reads the entries itself
# (blscfg), so there is nothing to write.
exit 0
