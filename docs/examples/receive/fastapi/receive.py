"""PORT=8080 WEBHOOK_SECRET=whsec_… python receive.py"""
import os

import uvicorn
from fastapi import FastAPI, Request, Response
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
# In production: a table with a unique key on the id, written in the transaction that handles the event.
handled = set()

app = FastAPI()


@app.post("/events")
async def receive(request: Request) -> Response:
    # The signature covers the bytes as they came, so the body must not be parsed before it is verified.
    body = await request.body()
    try:
        event = webhook.verify(body, dict(request.headers))
    except WebhookVerificationError:
        return Response("The signature is not valid.", status_code=400)
    id = request.headers["webhook-id"]
    # The same id comes again after a time-out or a replay: it is acknowledged, and not handled twice.
    if id in handled:
        print(f"duplicate {id}", flush=True)
        return Response(status_code=204)
    handled.add(id)
    print(f"handled {id} {(event.get('summary') or {}).get('company', '')}", flush=True)
    # Answer as soon as the event is stored; do slow work afterwards.
    return Response(status_code=204)


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8080"))
    print(f"listening {port}", flush=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
