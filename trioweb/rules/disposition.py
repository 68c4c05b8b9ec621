"""Content-Disposition: the name under which a response is kept (RFC 6266)."""

from __future__ import annotations

import re
from urllib.parse import quote

# What stands in a quoted string and is read alike by every browser: neither quotes nor
# backslashes, which some do not unescape, nor "%", which some do (RFC 6266 appendix D).
_ODD = re.compile(r'[^\x20-\x7e]|["%\\/]')

# RFC 8187 section 3.2.1: what stands in an extended value as it is.
_SAFE = "!#$&+^`|"


def attachment(name: str) -> str:
    r"""The field that says: do not show this, keep it under *name* (RFC 6266).

    A name with other than plain characters is given twice, by `filename` with those
    replaced and by `filename*` as it is, which wins.  It cannot leave its field.
    ValueError for an empty name and for half a surrogate pair.

    >>> attachment("plan.pdf")
    'attachment; filename="plan.pdf"'
    >>> attachment("a\r\nb é.pdf")
    'attachment; filename="a__b _.pdf"; filename*=UTF-8\'\'a%0D%0Ab%20%C3%A9.pdf'
    """
    if not name:
        raise ValueError("the name of a download is empty; give it one")
    plain = _ODD.sub("_", name)
    field = f'attachment; filename="{plain}"'
    if plain == name:
        return field
    return f"{field}; filename*=UTF-8''{quote(name, safe=_SAFE)}"
