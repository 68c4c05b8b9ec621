"""What RedisStore asks of the server: one script for each operation, all or nothing.

A session is a hash, one field for each name, which the server itself ends in time; a
user is a set of the keys of their sessions.  The store's own fields begin with the byte
255, with which no name can begin, for names are UTF-8.  Time is the server's.

A script may be refused for want of memory, or by a server that only reads, and then at
its first write: so each has looked at everything before that, and nothing is left half
done.  Every reply begins with the question's token (ARGV[1]).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

BORN = b"\xffborn"  # milliseconds since the epoch
SEEN = b"\xffseen"  # milliseconds since the epoch
USER = b"\xffuser"

# Arguments that every script has: its token, the milliseconds a session lives unused
# and at most, the bytes it may have, and what all keys begin with.
_COMMON = r"""
local TOKEN, PREFIX = ARGV[1], ARGV[5]
local IDLE, ABSOLUTE, ROOM = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local BORN, SEEN, USER = '\255born', '\255seen', '\255user'

local function whole(number)
  return string.format('%.0f', number)
end

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A record's fields, the bytes of those that are not ours, the time, and the reply to
-- HGETALL; nothing of one that has ended.
local function alive(key)
  local flat, fields, size = redis.call('HGETALL', key), {}, 0
  for i = 1, #flat, 2 do
    fields[flat[i]] = flat[i + 1]
    if string.byte(flat[i]) ~= 255 then
      size = size + #flat[i] + #flat[i + 1]
    end
  end
  local born, seen, time = tonumber(fields[BORN]), tonumber(fields[SEEN]), clock()
  if not born or not seen then return nil end
  -- The server ends them by the limits they were written under.
  if time >= born + ABSOLUTE or time >= seen + IDLE then return nil end
  return fields, size, time, flat
end

local function see(key, born, time)
  redis.call('HSET', key, SEEN, whole(time))
  redis.call('PEXPIRE', key, whole(math.min(IDLE, born + ABSOLUTE - time)))
end

-- Changes are ARGV from *first*: how many fields are set, their names and values, and
-- the names that are removed.
local function fits(fields, size, first)
  local set = first + 2 * tonumber(ARGV[first])
  for i = first + 1, set, 2 do
    local old = fields[ARGV[i]]
    size = size + #ARGV[i + 1] + (old and -#old or #ARGV[i])
  end
  for i = set + 1, #ARGV do
    local old = fields[ARGV[i]]
    if old then size = size - #ARGV[i] - #old end
  end
  return size <= ROOM
end

local function write(key, first)
  local set = first + 2 * tonumber(ARGV[first])
  for i = first + 1, set, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
  for i = set + 1, #ARGV do redis.call('HDEL', key, ARGV[i]) end
end

local function leave(user, key)
  if user and user ~= '' then redis.call('SREM', PREFIX .. ':u:' .. user, key) end
end

local function join(user, key)
  if user == '' then return end
  local set = PREFIX .. ':u:' .. user
  -- Those that ended by time are still in it.  More are looked at than are added, by
  -- chance, so that few can gather.
  for _, other in ipairs(redis.call('SRANDMEMBER', set, 8)) do
    if redis.call('EXISTS', other) == 0 then redis.call('SREM', set, other) end
  end
  redis.call('SADD', set, key)
  if redis.call('PTTL', set) < ABSOLUTE then
    redis.call('PEXPIRE', set, whole(ABSOLUTE))
  end
end
"""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, and the name under which a server keeps it."""

    source: str
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.source.encode(), usedforsecurity=False)
        object.__setattr__(self, "sha", digest.hexdigest())


LOAD = Script(
    _COMMON
    + """
local fields, size, time, flat = alive(KEYS[1])
if not fields then return {TOKEN} end
return {TOKEN, time, flat}
"""
)

CREATE = Script(
    _COMMON
    + """
local time = clock()
write(KEYS[1], 7)
redis.call('HSET', KEYS[1], BORN, whole(time))
if ARGV[6] ~= '' then redis.call('HSET', KEYS[1], USER, ARGV[6]) end
see(KEYS[1], time, time)
join(ARGV[6], KEYS[1])
return {TOKEN, 'saved'}
"""
)

SAVE = Script(
    _COMMON
    + """
local fields, size, time = alive(KEYS[1])
if not fields then return {TOKEN, 'gone'} end
if not fits(fields, size, 6) then return {TOKEN, 'full'} end
write(KEYS[1], 6)
see(KEYS[1], tonumber(fields[BORN]), time)
return {TOKEN, 'saved'}
"""
)

# The changes, which are one, and what the field is expected to hold (nothing: absent).
REPLACE = Script(
    _COMMON
    + """
local expected = table.remove(ARGV, 6)
if expected == '' then expected = nil else expected = string.sub(expected, 2) end
local fields, size, time = alive(KEYS[1])
if not fields then return {TOKEN, 'gone'} end
if fields[ARGV[7]] ~= expected then return {TOKEN, 'changed'} end
if not fits(fields, size, 6) then return {TOKEN, 'full'} end
write(KEYS[1], 6)
see(KEYS[1], tonumber(fields[BORN]), time)
return {TOKEN, 'saved'}
"""
)

# KEYS: from and to; the user, and the changes.
ROTATE = Script(
    _COMMON
    + """
local user = ARGV[6]
local fields, size, time = alive(KEYS[1])
if not fields then return {TOKEN, 'gone'} end
if not fits(fields, size, 7) then return {TOKEN, 'full'} end
local before, born = fields[USER] or '', tonumber(fields[BORN])
write(KEYS[1], 7)
redis.call('RENAME', KEYS[1], KEYS[2])
if user ~= before then
  born = time
  redis.call('HSET', KEYS[2], BORN, whole(born))
  if user == '' then
    redis.call('HDEL', KEYS[2], USER)
  else
    redis.call('HSET', KEYS[2], USER, user)
  end
end
see(KEYS[2], born, time)
leave(before, KEYS[1])
join(user, KEYS[2])
return {TOKEN, 'saved'}
"""
)

DELETE = Script(
    _COMMON
    + """
local user = redis.call('HGET', KEYS[1], USER)
redis.call('DEL', KEYS[1])
leave(user, KEYS[1])
return {TOKEN, 'saved'}
"""
)

# KEYS: the user's set; how many are named at most.
LIST = Script(
    _COMMON
    + """
local found = {}
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', key) == 0 then
    redis.call('SREM', KEYS[1], key)
  elseif #found < tonumber(ARGV[6]) then
    found[#found + 1] = key
  end
end
return {TOKEN, found}
"""
)

# KEYS: the user's set; the key that stays, or nothing.
DELETE_ALL = Script(
    _COMMON
    + """
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if key ~= ARGV[6] then
    redis.call('DEL', key)
    redis.call('SREM', KEYS[1], key)
  end
end
return {TOKEN, 'saved'}
"""
)
