-- wrk script. BODY: the form of every request; USERS=n: each ends with the next number below n. TOKENS: a file with one token a line, sent as token=...; ONCE=1: each only once.
-- BEARER=1: a GET with the token in its Authorization header instead.
-- EXPECT: what every answer must contain. SAVE: a file that gets the access token of each answer. AUTH: an Authorization header.
-- A fast wrong answer is not speed: the first one is printed as REFUSED, which the caller takes for a failure.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["Authorization"] = os.getenv("AUTH")
wrk.body = os.getenv("BODY")

local function setting(name) local value = os.getenv(name); if value ~= "" then return value end end
local tokens, once, save, bearer = setting("TOKENS"), setting("ONCE"), setting("SAVE"), setting("BEARER")
local file, saved = tokens and io.open(tokens), save and io.open(save, "a")
local expected = setting("EXPECT")
local users, user = tonumber(setting("USERS")), 0
local shown = false

local function refused(text)
  if not shown then shown = true; io.write("REFUSED " .. text:sub(1, 200) .. "\n"); io.flush() end
end

if tokens then
  function request()
    local token = file:read("*l")
    if not token then
      if once then refused("all tokens are used up; prepare more") end
      file:seek("set")
      token = file:read("*l")
    end
    if bearer then return wrk.format("GET", nil, { Authorization = "Bearer " .. token }) end
    return wrk.format(nil, nil, nil, "token=" .. token)
  end
end

if users then
  function request()
    user = (user + 1) % users
    return wrk.format(nil, nil, nil, wrk.body .. user)
  end
end

function response(status, headers, body)
  if status ~= 200 or (expected and not body:find(expected, 1, true)) then return refused(status .. " " .. body) end
  if saved then saved:write(body:match('"access_token":"([^"]+)"'), "\n") end
end

-- wrk ends without closing files.
if saved then saved:setvbuf("line") end
