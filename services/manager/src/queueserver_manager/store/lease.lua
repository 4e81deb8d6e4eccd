-- Become, or stay, the owner.
--
-- KEYS  1 lease, 2 epoch, 3 meta
-- ARGV  1 instance, 2 address, 3 time to live in milliseconds, 4 epoch held ("" to begin a new term),
--       5 epoch of an owner that is known to have died ("" if none is), 6 address at which a standby connects
--
-- Returns {epoch, "", 0, 0, revision of the store, ""} if the caller owns the queue now, {0, address of the owner,
-- milliseconds until its lease ends, epoch of the owner, 0, address at which a standby connects to the owner} otherwise.
-- The last one is "" if an older release owns the queue.
--
-- An instance may take over from itself at once: the operator who restarts it vouches that its old process is gone,
-- and the new epoch fences that process off even if it is not. For the same reason a standby need not wait for the end
-- of the lease of an owner whose death it has noticed, as long as it is still that owner's lease. A lease that ran out
-- may be renewed as long as no other instance began a term.
local holder = redis.call('HGET', KEYS[1], 'instance')
local term = redis.call('HGET', KEYS[1], 'epoch') or '0'
local function refusal()
  local address = redis.call('HGET', KEYS[1], 'address') or ''
  local internal = redis.call('HGET', KEYS[1], 'internal_address') or ''
  return {0, address, redis.call('PTTL', KEYS[1]), tonumber(term), 0, internal}
end
if ARGV[4] ~= '' then
  if redis.call('GET', KEYS[2]) ~= ARGV[4] then
    return refusal()
  end
elseif holder and holder ~= ARGV[1] and term ~= ARGV[5] then
  return refusal()
end
local epoch = ARGV[4]
if epoch == '' then
  epoch = redis.call('INCR', KEYS[2])
end
redis.call('HSET', KEYS[1], 'instance', ARGV[1], 'address', ARGV[2], 'epoch', epoch, 'internal_address', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {tonumber(epoch), '', 0, 0, tonumber(redis.call('HGET', KEYS[3], 'revision') or 0), ''}
