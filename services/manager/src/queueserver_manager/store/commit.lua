-- The one atomic step by which the Manager changes its store.
--
-- KEYS  1 epoch, 2 meta, 3 events, 4 lease, then every other key that a command changes
-- ARGV  1 epoch of the caller
--       2 revision that the store must be at
--       3 how many events entries to keep at most
--       4 how many bytes of content they may have together
--       5 for how many milliseconds from now the lease has to hold at least; 0 to leave it as it is
--       6 number n of commands, then for each command: number of its words, its name, the number of its key in KEYS,
--         its other words
--       then for each events entry: its id, its content
--
-- Returns OK; EPOCH if the caller is not the owner any more; REVISION if the store is at another revision. In the
-- last two cases nothing was written. The commands come from store/commands.py, and each changes one key; they never
-- fail half-way on data that this Manager wrote.
--
-- Before entries are added, the oldest are removed until there is room, or none are left: those of this commit all stay, so that
-- an owner that does not know whether it took effect finds them. The bytes are counted in meta, events_bytes.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 'EPOCH'
end
if (redis.call('HGET', KEYS[2], 'revision') or '0') ~= ARGV[2] then
  return 'REVISION'
end
if tonumber(ARGV[5]) > 0 and redis.call('PTTL', KEYS[4]) < tonumber(ARGV[5]) then
  redis.call('PEXPIRE', KEYS[4], ARGV[5])
end
local at = 7
for _ = 1, tonumber(ARGV[6]) do
  local words = tonumber(ARGV[at])
  redis.call(ARGV[at + 1], KEYS[tonumber(ARGV[at + 2])], unpack(ARGV, at + 3, at + words))
  at = at + words + 1
end
if at > #ARGV then
  return 'OK'
end
local added, bytes = 0, 0
for entry = at, #ARGV, 2 do
  added = added + 1
  bytes = bytes + #ARGV[entry + 1]
end
local count = redis.call('XLEN', KEYS[3])
local kept = tonumber(redis.call('HGET', KEYS[2], 'events_bytes') or -1)
if kept < 0 then
  -- Written by a release that did not count: once, all are counted.
  kept = 0
  local page, after = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 16), ''
  while #page > 0 do
    for _, entry in ipairs(page) do
      kept = kept + #entry[2][2]
      after = entry[1]
    end
    page = redis.call('XRANGE', KEYS[3], '(' .. after, '+', 'COUNT', 16)
  end
end
while count > 0 and (count + added > tonumber(ARGV[3]) or kept + bytes > tonumber(ARGV[4])) do
  local oldest = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', KEYS[3], oldest[1])
  kept = kept - #oldest[2][2]
  count = count - 1
end
if count == 0 then
  kept = 0
end
redis.call('HSET', KEYS[2], 'events_bytes', kept + bytes)
for entry = at, #ARGV, 2 do
  redis.call('XADD', KEYS[3], ARGV[entry], 'e', ARGV[entry + 1])
end
return 'OK'
