-- The action "hold": a request of a route that holds waits here, its body unread, until the route has a target, holds no longer or the time is over.
-- HELIX_STATE is the folder of the state; HELIX_HELD says how many requests of one service may wait.
local folder = os.getenv("HELIX_STATE")
local limit = tonumber(os.getenv("HELIX_HELD"))
local POLL_MS = 5
local tables = Map.new(folder .. "/tables.map", Map.str)
local routes = Map.new(folder .. "/routes.map", Map.str)
local waiting = {}

local function now()
  local time = core.now()
  return time.sec * 1000 + time.usec // 1000
end

local function look_up(at)
  local generation = tables:lookup(string.match(at, "^[^/]*"))
  return generation and routes:lookup(at .. "/" .. generation) or "-"
end

local function wait(at)
  local start = now()
  while true do
    local to = look_up(at)
    local ms = tonumber(string.match(to, "^~(%d+)"))
    if not ms then return to end
    if now() >= start + ms then return "-" end
    core.msleep(POLL_MS)
  end
end

core.register_action("hold", { "http-req" }, function(txn)
  local at = txn:get_var("txn.at")
  local count = waiting[at] or 0
  if count >= limit then
    txn:set_var("txn.to", "-")
    return
  end
  waiting[at] = count + 1
  txn:set_var("txn.to", wait(at))
  -- The generation may be another by now: the turns of several targets are looked up under it.
  txn:set_var("txn.table", tables:lookup(string.match(at, "^[^/]*")) or "")
  waiting[at] = waiting[at] > 1 and waiting[at] - 1 or nil
end)
