// Play: one request after another, as many events each as the speed asks for; a page that is closed plays no more.

import { find } from "./dom.js";
import { count } from "./numbers.js";

const SPEEDS = [1, 2, 5, 10, 20, 50, 200, 1000, 5000, 20000]; // events per second
const FRAME = 50; // ms between two requests while it plays

export class Player {
  // step(n) gives the answer, or null if it failed; halted() is called when it is to stop, rested() when it has.
  constructor(step, halted, rested) {
    Object.assign(this, { step, halted, rested, playing: false });
    find("play").addEventListener("click", () => this.play());
    find("speed").addEventListener("input", () => (find("speed-at").textContent = `${count(SPEEDS[find("speed").value])} /s`));
  }

  // Begin, or stop what has begun.
  async play() {
    if (this.playing) return this.stop();
    this.#turn(true);
    const round = (this.round = (this.round ?? 0) + 1); // who stops and plays again at once begins another
    let [owed, event] = [0, -1];
    while (this.playing && round === this.round) {
      const begun = performance.now();
      owed += (SPEEDS[find("speed").value] * FRAME) / 1000;
      const n = Math.floor(owed);
      if (n) {
        owed -= n;
        const answer = await this.step(n);
        if (!answer || answer.stopped || answer.panes[0].event === event) this.stop();
        event = answer?.panes[0].event;
      }
      await new Promise((done) => setTimeout(done, Math.max(5, FRAME - (performance.now() - begun))));
    }
    if (round === this.round) this.rested();
  }

  stop() {
    this.halted();
    this.#turn(false);
  }

  #turn(playing) {
    this.playing = playing;
    find("play").setAttribute("aria-pressed", playing);
    find("play-word").textContent = playing ? "Stop" : "Play";
  }
}
