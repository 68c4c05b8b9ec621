"""HTTP/2 needs the library of the extra `h2`; without it there is nothing to test."""

from __future__ import annotations

import importlib.util

# Whoever develops trioweb has it (`trioweb[dev]`); whoever packages it may not.
collect_ignore_glob = [] if importlib.util.find_spec("h2") else ["test_*.py"]
