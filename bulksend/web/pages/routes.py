"""Which address is which page."""

from __future__ import annotations

from aiohttp import web

from bulksend.web.pages import after, campaigns, find, limits, mending, price, rows, sending, sheet, text, trial, who

ROUTES: tuple[web.RouteDef, ...] = (
    web.get("/", campaigns.show),
    web.get("/find", find.show),
    web.post("/find", find.show),
    web.post("/campaigns", campaigns.begin),
    web.post("/campaigns/open", campaigns.open_run_of),
    web.post("/c/{key}/remove", campaigns.remove),
    web.get("/c/{key}/sheet", sheet.show),
    web.post("/c/{key}/sheet", sheet.choose_columns),
    web.post("/c/{key}/sheet/bring", sheet.bring),
    web.post("/c/{key}/sheet/choose", sheet.choose),
    web.post("/c/{key}/sheet/leave", sheet.leave),
    web.get("/c/{key}/text", text.show),
    web.post("/c/{key}/text", text.keep),
    web.post("/c/{key}/text/preview", text.preview),
    web.post("/c/{key}/text/price", text.price),
    web.get("/c/{key}/who", who.show),
    web.post("/c/{key}/who/filter", who.add_filter),
    web.post("/c/{key}/who/filter/remove", who.remove_filter),
    web.post("/c/{key}/who/list", who.add_list),
    web.post("/c/{key}/who/list/remove", who.remove_list),
    web.post("/c/{key}/who/choose", who.choose),
    web.post("/c/{key}/who/repeat", who.repeat),
    web.get("/c/{key}/rows", rows.show),
    web.post("/c/{key}/rows", rows.show),
    web.get("/c/{key}/to-mend.{kind:csv|xlsx}", mending.take),
    web.post("/c/{key}/mend", mending.bring),
    web.get("/c/{key}/price", price.show),
    web.post("/c/{key}/price/way", price.choose_way),
    web.post("/c/{key}/price/key", price.keep_key),
    web.post("/c/{key}/price/key/forget", price.forget_key),
    web.post("/c/{key}/price/time", limits.choose_time),
    web.post("/c/{key}/price/most", limits.choose_most),
    web.post("/c/{key}/price/trial", trial.send),
    web.post("/c/{key}/send", sending.begin),
    web.get("/c/{key}/sending", sending.show),
    web.get("/c/{key}/sending/events", sending.events),
    web.post("/c/{key}/sending/pause", sending.pause),
    web.post("/c/{key}/sending/stop", sending.stop),
    web.post("/c/{key}/real", after.for_real),
    web.post("/c/{key}/receipts", after.receipts),
    web.post("/c/{key}/settle", after.settle),
    web.get("/c/{key}/report.html", after.report),
    web.get("/c/{key}/results.{kind:csv|xlsx}", after.results),
)
