-- For wrk: POST an order of 1 KB as JSON.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local items = string.rep('{"name": "Tea & cake", "price": 4.5, "count": 2, "vat": true}, ', 15)
wrk.body = '{"customer": "Ada Lovelace", "items": [' .. items .. '{"name": "Milk", "price": 1}]}'
