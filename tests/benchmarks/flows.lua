-- wrk script for what a signed-in person's client does. MODE=code: authorize, then redeem the code, in turn; a finished flow is one token
-- answer. MODE=refresh: each refresh token is used once and replaced by the one in its answer. SEED: the file that sign-in.py wrote.
-- Answers other than these are printed as REFUSED; at its end it prints "flows N", the number of token answers.
local mode = os.getenv("MODE")
local seed = {}
for line in io.lines(os.getenv("SEED")) do
  local name, value = line:match("^(%S+) (.*)$")
  seed[name] = seed[name] or {}
  table.insert(seed[name], value)
end
local authorize, cookie, redeem, refresh = seed.authorize[1], seed.cookie[1], seed.redeem[1], seed.refresh[1]
local form = { ["Content-Type"] = "application/x-www-form-urlencoded" }
local signed_in = { Cookie = cookie }
-- A queue: a table's own length is not to be trusted once its beginning is empty.
local ready, first, last = {}, 1, 0
local function push(value) last = last + 1; ready[last] = value end
if mode == "refresh" then for _, token in ipairs(seed.token) do push(token) end end
local shown = false
local threads = {}
done_count = 0

function setup(thread) table.insert(threads, thread) end

local function refused(text)
  if not shown then shown = true; io.write("REFUSED " .. text:sub(1, 300) .. "\n"); io.flush() end
end

function request()
  local next = ready[first]
  if next then
    ready[first] = nil
    first = first + 1
    return wrk.format("POST", "/connect/token", form, (mode == "code" and redeem or refresh) .. next)
  end
  if mode == "refresh" then refused("more connections than refresh tokens") end
  return wrk.format("GET", authorize, signed_in)
end

function response(status, headers, body)
  if status == 303 and mode == "code" then
    local code = (headers["Location"] or ""):match("[?&]code=([^&]+)")
    if not code then return refused("no code in " .. (headers["Location"] or "")) end
    return push(code)
  end
  local token = body:match('"refresh_token":"([^"]+)"')
  if status ~= 200 or (mode == "refresh" and not token) then return refused(status .. " " .. body) end
  done_count = done_count + 1
  if mode == "refresh" then push(token) end
end

function done()
  local total = 0
  for _, thread in ipairs(threads) do total = total + thread:get("done_count") end
  io.write("flows " .. total .. "\n")
end
