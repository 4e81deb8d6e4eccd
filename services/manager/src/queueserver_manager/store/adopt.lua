-- Give the keys of an older release their present names, and leave a note under the old name of meta.
--
-- KEYS  1 old lease, 2 old meta, 3 meta, then pairs: old name, name; the pair of meta is the last
-- ARGV  1 instance, 2 the schema number of the note, 3 epoch of an owner that is known to have died ("" if none is)
--
-- Returns {"DONE"} if nothing is left to do; {"HELD", address of the owner, milliseconds until its lease ends, its epoch}
-- while another instance owns the queue under the old names; {"BOTH"} if there are two stores. Only "DONE" changes
-- anything.
--
-- The epoch is renamed too, so a Manager of the older release that still lives can't commit any more. One that starts
-- later finds the note, whose number is higher than any that it reads, and ends; the note is left in a new store, too.
-- What is without a note is no store yet, or one that has to be moved: meta is renamed last.
if tonumber(redis.call('HGET', KEYS[2], 'schema') or '0') >= tonumber(ARGV[2]) then
  return {'DONE'}
end
local holder = redis.call('HGET', KEYS[1], 'instance')
local term = redis.call('HGET', KEYS[1], 'epoch') or '0'
if holder and holder ~= ARGV[1] and term ~= ARGV[3] then
  return {'HELD', redis.call('HGET', KEYS[1], 'address') or '', redis.call('PTTL', KEYS[1]), tonumber(term)}
end
if redis.call('EXISTS', KEYS[2]) == 1 then
  if redis.call('HEXISTS', KEYS[3], 'revision') == 1 then
    return {'BOTH'}
  end
  for pair = 4, #KEYS, 2 do
    if redis.call('EXISTS', KEYS[pair]) == 1 then
      redis.call('RENAME', KEYS[pair], KEYS[pair + 1])
    end
  end
end
redis.call('HSET', KEYS[2], 'schema', ARGV[2], 'moved_to', KEYS[3])
return {'DONE'}
