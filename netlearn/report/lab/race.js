// The race: both networks learn in step, and what was measured so far is kept. Nothing is known of the updates to come.

const PAUSE_AFTER = 20000; // updates, so that a forgotten page does not learn for ever
const ROUND = 90; // milliseconds of learning between two pictures, at full speed

class Race {
  // `onChange` is called after every round, and when learning begins anew or pauses.
  constructor(trainees, onChange) {
    Object.assign(this, { trainees, onChange, round: 0, playing: false, perSecond: null, queue: Promise.resolve() });
    this.pace = 20; // updates in a round at full speed, so far
  }

  // Begins anew with the settings as they are.
  async reset() {
    this.playing = false;
    this.round += 1;
    this.update = 0;
    this.probes = [[], []];
    this.now = null;
    this.passed = [null, null];
    this.networks = [0, 1].map((k) => {
      const { sizes, cost, activation } = trainingSettings(k);
      return new Network(sizes, cost, activation);
    });
    this.trainees.forEach((trainee, k) => trainee.begin(trainingSettings(k)));
    await this.advance(0);
    if (this.now) this.first = this.networks.map((network) => network.parameters.slice());
    this.onChange();
  }

  // Lets both networks learn that many updates more; returns whether they are still those of the same settings.
  async advance(count) {
    const { round } = this, to = this.update + count;
    const found = await Promise.all(this.trainees.map((trainee) => trainee.learnTo(to)));
    if (round !== this.round) return false;
    this.update = to;
    this.now = found.map(({ now }) => now);
    found.forEach(({ probes, now, parameters }, k) => {
      this.networks[k].parameters.set(parameters);
      const kept = to === 0 ? [now] : probes; // only at probes, so that every computer finds the same update
      this.probes[k].push(...kept);
      this.passed[k] ??= kept.find(({ accuracy }) => accuracy >= DATA.threshold)?.update ?? null;
    });
    return true;
  }

  // Learns once, after what is under way.
  more(count) {
    this.pause();
    this.queue = this.queue.then(async () => {
      if (await this.advance(count)) this.onChange();
    });
    return this.queue;
  }

  pause() {
    this.playing = false;
    this.perSecond = null;
  }

  play(speed) {
    this.playing = true;
    const end = (Math.floor(this.update / PAUSE_AFTER) + 1) * PAUSE_AFTER;
    this.queue = this.queue.then(() => this.learn(speed, end));
  }

  async learn(speed, end) {
    const times = [[performance.now(), this.update]];
    while (this.playing && this.update < end) {
      const started = performance.now(), each = speed() === "full" ? null : Number(speed()) / 10;
      const about = this.update + Math.max(1, Math.round(each ?? this.pace));
      const count = Math.min(each === null ? nextProbe(about - 1) : about, end) - this.update; // up to a probe
      if (!(await this.advance(count))) return;
      const took = performance.now() - started;
      if (each === null) this.pace = Math.min(2 * this.pace, Math.max(1, (this.pace + (count * ROUND) / Math.max(1, took)) / 2));
      times.push([performance.now(), this.update]);
      while (times.length > 2 && times[0][0] < performance.now() - 1500) times.shift();
      this.perSecond = (1000 * (this.update - times[0][1])) / Math.max(1, performance.now() - times[0][0]);
      this.onChange();
      if (each !== null) await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - took)));
    }
    this.pause();
    this.onChange();
  }
}
