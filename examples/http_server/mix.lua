-- SPDX-License-Identifier: MIT
--
-- What wrk asks the server for: of 1000 requests 899 gets, 99 sets, one for the statistics and one report, on
-- 1000 keys.
--
--   wrk -t1 -c16 -d5 -s mix.lua http://127.0.0.1:8080

local period = 1000
local requests = {}
local next_request = 0

-- Made ahead: wrk shares the processors with the server.
function init(args)
  local body = string.rep("y", 100)
  for i = 1, period do
    local key = "key-" .. (i * 7) % 1000
    if i == period then
      requests[i] = wrk.format("GET", "/report")
    elseif i % 10 == 0 then
      requests[i] = wrk.format("POST", "/set?key=" .. key, nil, body)
    elseif i == 15 then
      requests[i] = wrk.format("GET", "/statistics")
    else
      requests[i] = wrk.format("GET", "/get?key=" .. key)
    end
  end
end

function request()
  next_request = next_request % period + 1
  return requests[next_request]
end

-- One line that a script can read.
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("%d requests in %.2f s: %.0f a second; 99 of 100 within %.2f ms; %d failed\n",
    summary.requests, summary.duration / 1e6, summary.requests / summary.duration * 1e6,
    latency:percentile(99) / 1000, failed))
end
