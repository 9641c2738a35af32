#!lua name=tocsin
-- SPDX-License-Identifier: Apache-2.0
-- One effect of the record, in one step: all of it or none.
--   ARGV: number, writer, how many ids, the ids, then commands: how many words, the words, ...
-- Effects are numbered 1, 2, 3, ...: one that was applied is answered DUP and changes nothing; a
-- number that skips means that Redis lost effects it had acknowledged. A writer that another one
-- replaced is refused, and so is a detection id that was applied under another number.

local allowed = {SET = true, DEL = true, ZADD = true, ZREM = true, ZREMRANGEBYSCORE = true,
  HSET = true, HDEL = true, SADD = true, RPUSH = true, LTRIM = true, XADD = true, EXPIRE = true}

local function record(keys, argv)
  local number, writer, ids = tonumber(argv[1]), argv[2], tonumber(argv[3])
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
  for i = 4, 3 + ids do
    if redis.call('SISMEMBER', 'tocsin:applied:0', argv[i]) == 1
        or redis.call('SISMEMBER', 'tocsin:applied:1', argv[i]) == 1 then
      return redis.error_reply('APPLIED under another number')
    end
  end
  local i = 4 + ids
  while i <= #argv do
    local words = tonumber(argv[i])
    if not allowed[argv[i + 1]] then
      return redis.error_reply('ERR not a command of the record')
    end
    redis.call(unpack(argv, i + 1, i + words))
    i = i + words + 1
  end
  redis.call('SET', 'tocsin:epoch', argv[1])
  return redis.status_reply('OK')
end

-- allow-oom: closing, acknowledging and forgetting must work when memory is full. What makes the
-- record grow is stopped before, in C.
redis.register_function{function_name = 'tocsin_record', callback = record, flags = {'allow-oom'}}
