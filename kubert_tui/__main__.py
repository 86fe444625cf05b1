"""`python -m kubert_tui`."""

import sys

from kubert_tui.cli.main import main

sys.exit(main())
