#!lua name=tocsin
-- SPDX-License-Identifier: Apache-2.0
-- One effect of the record, in one step: all of it or none.
--   ARGV: number, writer, key of applied ids, how many ids, the ids,
--         then commands: how many words, the words, ...
-- Effects are numbered 1, 2, 3, ...: one that was applied is answered DUP and changes nothing; a
-- number that skips means that Redis lost effects it had acknowledged. A writer that another one
-- replaced is refused, and so is a detection id that was applied under another number.

local allowed = {SET = true, DEL = true, ZADD = true, ZREM = true, ZREMRANGEBYSCORE = true,
  HSET = true, HDEL = true, SADD = true, RPUSH = true, LTRIM = true, XADD = true, EXPIRE = true}

local function is_applied(argv, from, to)
  for generation = 0, 1 do
    local seen = redis.call('SMISMEMBER', 'tocsin:applied:' .. generation, unpack(argv, from, to))
    for _, one in ipairs(seen) do
      if one == 1 then
        return true
      end
    end
  end
  return false
end

local function record(keys, argv)
  local number, writer, applied, ids = tonumber(argv[1]), argv[2], argv[3], tonumber(argv[4])
  if redis.call('GET', 'tocsin:writer') ~= writer then
    return redis.error_reply('FENCED another writer took over')
  end
  local last = tonumber(redis.call('GET', 'tocsin:epoch') or '0')
  if number <= last then
    return redis.status_reply('DUP')
  end
  if number > last + 1 then
    return redis.error_reply('GAP after ' .. last)
  end
  if ids > 0 and is_applied(argv, 5, 4 + ids) then
    return redis.error_reply('APPLIED under another number')
  end
  local i = 5 + ids
  while i <= #argv do
    local words = tonumber(argv[i])
    if not allowed[argv[i + 1]] then
      return redis.error_reply('ERR not a command of the record')
    end
    redis.call(unpack(argv, i + 1, i + words))
    i = i + words + 1
  end
  if ids > 0 then
    redis.call('SADD', applied, unpack(argv, 5, 4 + ids))
  end
  redis.call('SET', 'tocsin:epoch', argv[1])
  return redis.status_reply('OK')
end

-- allow-oom: closing, acknowledging and forgetting must work when memory is full. What makes the
-- record grow is stopped before, in C.
redis.register_function{function_name = 'tocsin_record', callback = record, flags = {'allow-oom'}}
