-- Run while HAProxy reads its configuration, before it reads its maps: makes them from the journal. HELIX_STATE is the folder of the state.
-- The journal has batches: a line ">", lines "map key value" (without a value: the key goes), a line ".". What has no end does not count.
local folder = os.getenv("HELIX_STATE")
local maps = { hosts = {}, ports = {}, tables = {}, routes = {} }

local function apply(batch)
  for _, line in ipairs(batch) do
    local map, key, value = string.match(line, "^(%S+) (%S+) ?(.*)$")
    if maps[map] then maps[map][key] = value ~= "" and value or nil end
  end
end

local journal = io.open(folder .. "/journal", "r")
if journal then
  local batch = {}
  for line in journal:lines() do
    if line == ">" then
      batch = {}
    elseif line == "." then
      apply(batch)
      batch = {}
    else
      batch[#batch + 1] = line
    end
  end
  journal:close()
end

for name, entries in pairs(maps) do
  local file = assert(io.open(folder .. "/" .. name .. ".map", "w"))
  for key, value in pairs(entries) do
    file:write(key, " ", value, "\n")
  end
  file:close()
end
