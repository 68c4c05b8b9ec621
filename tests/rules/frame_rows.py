"""Frame rows: what RFC 6455 section 5 says of the bytes that a peer sends, in bytes."""

from __future__ import annotations

from trioweb.rules.frames import FrameLimits

# So small that a short row reaches them.
LIMITS = FrameLimits(message=70_000, fragments=4, pings=3, pongs=5)

HELLO = "81 85 37fa213d 7f9f4d5158"
EMPTY = "82 80 00000000"
BEGIN = "02 80 00000000"
GO_ON = "00 80 00000000"
END = "80 80 00000000"
PING = "89 80 00000000"
PONG = "8a 80 00000000"
CLOSE = "88 82 37fa213d 3412"

KIB_64 = " 00" * 65536

PASSED = [
    ("5.7 single-frame masked text", HELLO),
    ("5.7 masked pong", "8a 85 37fa213d 7f9f4d5158"),
    ("5.7 256 bytes of binary", "82 fe 0100 37fa213d" + " 00" * 256),
    ("5.7 64 KiB of binary", "82 ff 0000000000010000 37fa213d" + KIB_64),
    ("5.2 125 bytes, the longest short form", "82 fd 00000000" + " aa" * 125),
    ("5.2 126 bytes, the shortest long form", "82 fe 007e 00000000" + " aa" * 126),
    ("5.2 65535 bytes, the longest of it", "82 fe ffff 37fa213d" + " 00" * 65535),
    ("5.2 nothing at all", ""),
    ("5.4 two fragments", "01 83 37fa213d 7f9f4d" + "80 82 3dfa2137 5195"),
    ("5.4 as many fragments as may be", BEGIN + GO_ON * 2 + END),
    ("5.4 ... and as many again", (BEGIN + GO_ON * 2 + END) * 2),
    ("5.4 control frames between fragments", BEGIN + PING + GO_ON + PONG + END),
    ("5.4 the next message after the last fragment", BEGIN + END + HELLO),
    ("5.5 the longest control frame", "89 fd 00000000" + " aa" * 125),
    ("5.5.2 as many pings as may be at once", PING * 3),
    ("5.5.3 as many pongs as may be at once", PONG * 5),
    ("5.5.3 pings and pongs are counted apart", (PING + PONG) * 3),
    ("5.5.1 close", HELLO + CLOSE),
    ("5.5.1 close without a code", "88 80 00000000"),
    ("5.5.1 close between fragments", BEGIN + CLOSE),
    ("5.6 text that is no UTF-8 is for the library", "81 82 00000000 ffff"),
    ("7.4.1 so is the code of a close", "88 82 00000000 ffff"),
    ("5.5.1 and a close of one byte", "88 81 00000000 00"),
    ("a message as large as may be", "82 ff 0000000000011170 37fa213d" + "00" * 70_000),
]  # fmt: skip

MISSING = [
    ("5.2 one byte", "81"),
    ("5.2 no key", "81 85"),
    ("5.2 half a key", "81 85 37fa"),
    ("5.2 half a 16-bit length", "82 fe 01"),
    ("5.2 half a 64-bit length", "82 ff 00000000"),
    ("5.2 64-bit length, no key", "82 ff 0000000000010000"),
]

# What is wrong begins after the colon: what stands before it has been passed on.
REFUSED = [
    ("5.1 not masked", ": 81 05 48656c6c6f", 1002),
    ("5.1 not masked, empty", f"{HELLO}: 82 00", 1002),
    ("5.1 a control frame that is not masked", f"{HELLO}: 89 00", 1002),
    ("5.2 RSV1 without an extension", f"{HELLO}: c1 80 00000000", 1002),
    ("5.2 RSV2", ": a1 80", 1002),
    ("5.2 RSV3", ": 91 80", 1002),
    ("5.2 RSV1 of a control frame", ": c9 80", 1002),
    ("5.2 RSV1 of a continuation", f"{BEGIN}: c0 80", 1002),
    ("5.2 opcode 3", ": 83 80", 1002),
    ("5.2 opcode 7", f"{HELLO} {PING}: 87 80", 1002),
    ("5.2 opcode 0xb", ": 8b 80", 1002),
    ("5.2 opcode 0xf", ": 8f 80", 1002),
    ("5.2 opcode 3, fragmented", ": 03 80", 1002),
    ("5.2 125 bytes in 16 bits", ": 82 fe 007d", 1002),
    ("5.2 no bytes in 16 bits", ": 82 fe 0000", 1002),
    ("5.2 65535 bytes in 64 bits", ": 82 ff 000000000000ffff", 1002),
    ("5.2 no bytes in 64 bits", ": 82 ff 0000000000000000", 1002),
    ("5.2 the highest bit of 64", ": 82 ff 8000000000000000", 1002),
    ("5.4 a continuation of nothing", ": 80 80", 1002),
    ("5.4 a continuation of what has ended", f"{BEGIN}{END}: 80 80", 1002),
    ("5.4 a continuation after a whole message", f"{HELLO}: 00 80", 1002),
    ("5.4 text within a message", f"{BEGIN}: 81 80", 1002),
    ("5.4 a second beginning", f"{BEGIN}{GO_ON}: 02 80", 1002),
    ("5.5 a fragmented close", ": 08 80", 1002),
    ("5.5 a fragmented ping", ": 09 80", 1002),
    ("5.5 a fragmented pong", f"{BEGIN}: 0a 80", 1002),
    ("5.5 a ping of 126 bytes", ": 89 fe", 1002),
    ("5.5 a close of 64 bits", ": 88 ff", 1002),
    ("a message of one byte too many", ": 82 ff 0000000000011171", 1009),
    ("a message of 2 to the 63", ": 82 ff 7fffffffffffffff", 1009),
    ("a fragment too large", f"02 81 00000000 aa {PING}: 80 ff 0000000000011170", 1009),
    ("one fragment too many", f"{BEGIN}{GO_ON * 3}: 80 80 00000000", 1008),
    ("one ping too many", f"{BEGIN}{PING}{PING}{END}{PING}: {PING}", 1008),
    ("one pong too many", f"{PONG * 5}: {PONG}", 1008),
]  # fmt: skip

# After a Close nothing counts, be it right or wrong.
IGNORED = [
    ("5.5.1 a second close", f"{CLOSE}: {CLOSE}"),
    ("5.5.1 a message", f"{CLOSE}: {HELLO}"),
    ("5.5.1 the rest of a message", f"{BEGIN}{CLOSE}: {END}"),
    ("5.5.1 what is no frame", f"{CLOSE}: 47 45 54"),
    ("5.5.1 after a close of nothing", "88 80 00000000: ff ff ff"),
    ("5.5.1 pings", f"{CLOSE}: {PING * 9}"),
]
