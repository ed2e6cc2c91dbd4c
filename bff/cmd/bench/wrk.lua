-- Sends the requests of a file, each thread from another place in it, and prints one line of JSON at the end.
-- Arguments: the file, whose requests are divided by zero bytes; what each body must begin with, or nothing.
local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  requests, refused = {}, 0
  local file = assert(io.open(args[1], "rb"))
  for text in file:read("*a"):gmatch("[^%z]+") do
    table.insert(requests, text)
  end
  file:close()
  last = math.floor(#requests / 4) * 2 * number
  local start = args[2]
  if start then
    response = function(status, _, body)
      if status ~= 200 or body:sub(1, #start) ~= start then refused = refused + 1 end
    end
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function done(summary, latency)
  local refused = 0
  for _, thread in ipairs(threads) do
    refused = refused + thread:get("refused")
  end
  local errors = summary.errors -- without timeout, which is slow answers
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"bytes":%d,"p50":%d,"p99":%d,"failed":%d,"refused":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status, refused))
end
