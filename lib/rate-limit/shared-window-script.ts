/**
 * Uses all buckets (KEYS), or none; a negative cost returns uses. ARGV: cost, slots a window, for how many ms those that
 * are returned have been taken, then limit and window (ms) of each bucket. Returns 1 or 0, then remaining, reset (ms) and wait (ms) of each bucket.
 *
 * A bucket is a hash from the millisecond at which takings expire to how many they are: the same slots as in
 * `sliding-window.ts`, in Redis' own time, so that gateways with different clocks agree. Any other value under the key
 * is deleted.
 */
export const TAKE_SOURCE = `
local cost, slots, taken_for = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function held(key)
  local fields = redis.pcall('HGETALL', key)
  if fields.err then redis.call('DEL', key) return {} end
  return fields
end

local function wait(bucket)
  local excess = bucket.total + cost - bucket.limit
  if excess <= 0 then return 0 end
  table.sort(bucket.taken, function(a, b) return a.expiry < b.expiry end)
  for _, slot in ipairs(bucket.taken) do
    excess = excess - slot.count
    if excess <= 0 then return slot.expiry - now end
  end
  return bucket.window
end

local buckets, allowed = {}, 1
for index, key in ipairs(KEYS) do
  local bucket = { limit = tonumber(ARGV[index * 2 + 2]), window = tonumber(ARGV[index * 2 + 3]) }
  bucket.total, bucket.taken, bucket.gone = 0, {}, {}
  local fields = held(key)
  for at = 1, #fields, 2 do
    local expiry, count = tonumber(fields[at]), tonumber(fields[at + 1])
    if expiry and count and expiry > now then
      bucket.total = bucket.total + count
      bucket.taken[#bucket.taken + 1] = { expiry = expiry, count = count }
      if not bucket.oldest or expiry < bucket.oldest then bucket.oldest = expiry end
    else
      bucket.gone[#bucket.gone + 1] = fields[at]
    end
  end
  bucket.wait = wait(bucket)
  if bucket.wait > 0 then allowed = 0 end
  buckets[index] = bucket
end

local reply = { allowed }

local function expiry_of(bucket, taken_at)
  if bucket.limit <= slots then return taken_at + bucket.window end
  local slot = bucket.window / slots
  return math.ceil(math.ceil(taken_at / slot) * slot + bucket.window)
end

-- Off the newest takings that are no later than those that are returned, and never more than there are.
local function give_back(key, bucket)
  local left, last = -cost, expiry_of(bucket, now - taken_for)
  table.sort(bucket.taken, function(a, b) return a.expiry > b.expiry end)
  for _, slot in ipairs(bucket.taken) do
    local some = slot.expiry <= last and math.min(left, slot.count) or 0
    if some > 0 then redis.call('HINCRBY', key, string.format('%d', slot.expiry), -some) end
    bucket.total = bucket.total - some
    left = left - some
  end
end

for index, key in ipairs(KEYS) do
  local bucket = buckets[index]
  if cost < 0 then
    give_back(key, bucket)
  elseif allowed == 1 then
    local expiry = expiry_of(bucket, now)
    if #bucket.gone > 0 then redis.call('HDEL', key, unpack(bucket.gone)) end
    redis.call('HINCRBY', key, string.format('%d', expiry), cost)
    redis.call('PEXPIREAT', key, string.format('%d', expiry + 1000))
    bucket.total = bucket.total + cost
    bucket.oldest = bucket.oldest or expiry
  end
  reply[#reply + 1] = math.max(0, bucket.limit - bucket.total)
  reply[#reply + 1] = math.max(bucket.wait, (bucket.oldest or now) - now)
  reply[#reply + 1] = bucket.wait
end
return reply
`
