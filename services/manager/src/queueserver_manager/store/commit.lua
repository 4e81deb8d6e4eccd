-- The one atomic step by which the Manager changes its store.
--
-- KEYS  1 epoch, 2 meta, 3 events
-- ARGV  1 epoch of the caller
--       2 revision that the store must be at
--       3 how many events entries to keep, about
--       4 number n of commands, then for each command: number of its words, its words
--       then for each events entry: its id, its content
--
-- Answers OK; EPOCH if the caller is not the owner any more; REVISION if the store is at another revision. In the
-- last two cases nothing was written. The commands come from store/codec.py and touch only keys of the same
-- prefix; they never fail half-way on data that this Manager wrote.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 'EPOCH'
end
if (redis.call('HGET', KEYS[2], 'revision') or '0') ~= ARGV[2] then
  return 'REVISION'
end
local at = 5
for _ = 1, tonumber(ARGV[4]) do
  local words = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + words))
  at = at + words + 1
end
while at < #ARGV do
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[3], ARGV[at], 'e', ARGV[at + 1])
  at = at + 2
end
return 'OK'
