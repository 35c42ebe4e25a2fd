-- For wrk: sends the requests of the file $REQUESTS one after another, over and over. A NUL stands between two.
local requests, sent = {}, 0

function init()
  local file = assert(io.open(os.getenv("REQUESTS"), "rb"))
  for request in file:read("*a"):gmatch("%Z+") do requests[#requests + 1] = request end
  file:close()
end

function request()
  sent = sent % #requests + 1
  return requests[sent]
end
