// Two networks that learn, each in a worker of its own; where there are no workers, in slices of time.

class InWorker {
  constructor(data) {
    const url = URL.createObjectURL(new Blob([$("engine").textContent], { type: "text/javascript" }));
    this.worker = new Worker(url);
    this.waiting = [];
    this.worker.onmessage = ({ data: found }) => this.waiting.shift()(found);
    this.worker.postMessage({ data });
  }

  begin(chosen) {
    this.worker.postMessage({ settings: chosen });
  }

  // Learns until that many updates are done; resolves to the probes, what is measured now, and all parameters.
  learnTo(to) {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      this.worker.postMessage({ to });
    });
  }
}

class InSlices {
  constructor(data) {
    this.data = data;
  }

  begin(chosen) {
    this.training = new Training(chosen, this.data);
  }

  async learnTo(to) {
    const { training } = this, probes = [];
    while (training.update < to) {
      const end = performance.now() + 8;
      while (training.update < to && performance.now() < end) probes.push(...training.learnTo(Math.min(to, training.update + 5)));
      await new Promise((resolve) => setTimeout(resolve));
    }
    return { probes, now: training.measure(), parameters: training.network.parameters.slice() };
  }
}

// Resolves to two trainees of a kind that works here.
async function makeTrainees(data) {
  try {
    const trainees = [new InWorker(data), new InWorker(data)];
    await Promise.all(trainees.map((each) => new Promise((resolve, reject) => {
      each.worker.onerror = () => reject(new Error("the worker cannot start"));
      each.begin({ ...trainingSettings(0), sizes: [DATA.inputs, DATA.outputs] });
      each.learnTo(0).then(resolve);
    })));
    return trainees;
  } catch {
    return [new InSlices(data), new InSlices(data)];
  }
}
