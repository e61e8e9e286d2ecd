// As rival_client.py, for npm's limiters: node rival_client.mjs HOW URL SECONDS WORKERS LIMIT PERIOD, HOW of
// bottleneck and p-throttle. Run in a folder whose node_modules has them.
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [how, url, ...numbers] = process.argv.slice(2);
const [seconds, workers, limit, period] = numbers.map(Number);
const from = createRequire(path.join(process.cwd(), "package.json"));
const load = async (name) => (await import(pathToFileURL(from.resolve(name)))).default;
const done = [];

function bodyOf(number, serial) {
  const size = 40 + ((number * 7 + serial * 13) % 40);
  const messages = [{ role: "user", content: "word ".repeat(size) }];
  return JSON.stringify({ model: "gpt-4o-mini", max_tokens: 200, messages });
}

async function post(number, serial) {
  const headers = { "Content-Type": "application/json", Authorization: "Bearer sk-bench" };
  const answer = await fetch(`${url}/chat/completions`, {
    method: "POST", headers, body: bodyOf(number, serial),
  });
  await answer.arrayBuffer();
  return answer.status;
}

const limiters = {
  async bottleneck() {
    const Bottleneck = await load("bottleneck");
    const limiter = new Bottleneck({
      reservoir: limit, reservoirRefreshAmount: limit, reservoirRefreshInterval: period * 1000,
    });
    return limiter.wrap(post);
  },
  async "p-throttle"() {
    return (await load("p-throttle"))({ limit, interval: period * 1000 })(post);
  },
};

const call = await limiters[how]();

async function work(number) {
  for (let serial = 0; ; serial++) {
    const start = performance.now();
    const status = await call(number, serial).catch(() => 0);
    done.push([(performance.now() - start) / 1000, status]);
    // The job is given up, and the next one taken.
    if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

for (let number = 0; number < workers; number++) work(number);
setTimeout(() => {
  process.stdout.write(`${JSON.stringify(done)}\n`, () => process.exit(0));
}, seconds * 1000);
