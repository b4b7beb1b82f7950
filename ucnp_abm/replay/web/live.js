// The source of a live run: one request for each command, one answer for each request.

import { bytesOf } from "./numbers.js";

export class Live {
  abilities = { live: true };
  colours = [["species", "species"], ["zone", "zone"], ["age", "age"], ["visits", "visits"], ["barrier", "lowest barrier"], ["energy", "where energy dies"]];

  async do(command, given = {}) {
    const begun = performance.now();
    const answer = await fetch(`do/${command}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given) });
    const body = await answer.json();
    this.took = { milliseconds: performance.now() - begun, bytes: Number(answer.headers.get("Content-Length")) };
    if (!answer.ok) throw new Error(body.error);
    for (const pane of body.panes ?? []) if (pane.changed.all) pane.changed.all = bytesOf(pane.changed.all);
    if (body.values) body.values = bytesOf(body.values);
    return body;
  }
}
