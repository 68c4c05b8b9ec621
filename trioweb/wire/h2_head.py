"""Heads of HTTP/2: is this block a request that a handler may see? (RFC 9113 section 8)

What is no message at all is Malformed, and costs its stream; what is one, but too large
or asks for what is not done here, is answered as on HTTP/1.1.
"""

from __future__ import annotations

from trioweb.message.errors import BadRequest, HTTPError
from trioweb.rules.pseudo import Fields, Head2, Malformed, head_of, trailers_of
from trioweb.rules.target import PathError
from trioweb.wire.gate import check_expectation, check_method
from trioweb.wire.h2_packing import OVERHEAD
from trioweb.wire.limits import FIELD_LIST, Limits

# Fields that HTTP/1.1 has in its request line: :method, :scheme and :path.
_LINE = 3


def size_of(fields: Fields) -> int:
    """How large a block of fields is once it is unpacked, bytes."""
    return sum(len(name) + len(value) + OVERHEAD for name, value in fields)


def read_head(fields: Fields, size: int, limits: Limits, *, ended: bool) -> Head2:
    """The request in *fields* of `size_of` *size*; *ended*: no content follows it.

    Raises Malformed if it is none, HTTPError for one that is refused.
    """
    # Before anything is read of it: it may be large for a few bytes on the wire.
    if size > FIELD_LIST:
        raise HTTPError(431, f"the head is larger than {FIELD_LIST} bytes")
    if len(fields) > limits.fields + _LINE:
        raise HTTPError(431, f"more than {limits.fields} header fields")
    try:
        head = head_of(fields, ended=ended)
    except PathError as error:
        raise BadRequest(f"the target is malformed: {error}") from error
    if len(head.target.raw_path) + len(head.target.query) > limits.request_line:
        raise HTTPError(414, f"the target is longer than {limits.request_line} bytes")
    # An extended CONNECT is HTTP/1.1's GET with an upgrade (RFC 8441 section 5).
    check_method("GET" if head.protocol else head.method)
    check_expectation(head.expect)
    return head


def read_trailers(fields: Fields, limits: Limits) -> list[tuple[bytes, bytes]]:
    """The trailers in *fields*; Malformed if they are none, or too large."""
    if size_of(fields) > limits.trailers or len(fields) > limits.trailer_fields:
        raise Malformed("the trailers are too large")
    return trailers_of(fields)
