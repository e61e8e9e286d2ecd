// How npm's ratelimit-header-parser and apiquota read the same responses: all recordings of tests/providers
// that speak of a quota. Prints the figures of docs/comparison.md.
//
//   npm install --no-package-lock --prefix tests/comparison
//   node tests/comparison/compare.mjs build/apiquota
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseRateLimit } from 'ratelimit-header-parser';

const HERE = dirname(fileURLToPath(import.meta.url));
const PROVIDERS = join(HERE, '..', 'providers');
const RealDate = Date;

// The parser asks the clock for resets said as seconds from now: it gets the response's own Date.
function atTime(millis, work) {
  globalThis.Date = class extends RealDate {
    constructor(...when) {
      super(...(when.length === 0 ? [millis] : when));
    }
    static now() {
      return millis;
    }
  };
  try {
    return work();
  } finally {
    globalThis.Date = RealDate;
  }
}

function load(name, file) {
  const lines = readFileSync(join(PROVIDERS, name, file), 'utf8').split('\n');
  const request = lines.find((line) => line.startsWith('# request: '));
  const response = lines.filter((line) => !line.startsWith('# ')).join('\n');
  const headers = {};
  for (const line of response.split('\n\n')[0].split('\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const stem = file.replace(/\.http$/, '');
  const expected = JSON.parse(readFileSync(join(PROVIDERS, name, `${stem}.json`)));
  return { name: `${name}/${stem}`, url: request.split(' ').at(-1), response, headers, expected };
}

function recordings() {
  const files = (name) =>
    readdirSync(join(PROVIDERS, name)).filter((file) => file.endsWith('.http')).sort();
  const all = readdirSync(PROVIDERS).sort().flatMap((name) => files(name).map((file) => load(name, file)));
  const bounded = (quota) => quota.limit !== null || quota.remaining !== null;
  return all.filter(({ expected }) => expected.quotas.some(bounded));
}

const number = (value) => typeof value === 'number' && Number.isFinite(value);

// What the parser says, as a quota; nothing if it has no number at all.
function parsed({ headers }) {
  const now = headers.date ? RealDate.parse(headers.date) : RealDate.UTC(2026, 0, 1);
  let said;
  try {
    said = atTime(now, () => parseRateLimit(headers));
  } catch (error) {
    return { failure: error.message };
  }
  if (!said || !(number(said.limit) || number(said.remaining))) return undefined;
  const reset = said.reset ? said.reset.getTime() / 1000 : NaN;
  return { limit: said.limit, remaining: said.remaining, reset_at: number(reset) ? reset : null };
}

const FIELDS = { limit: 1e-6, remaining: 1e-6, reset_at: 1 };  // how far off is still the same
const agrees = (said, known, tolerance) =>
  !number(said) || (known !== null && Math.abs(said - known) <= tolerance);
const fits = (said, quota) =>
  Object.entries(FIELDS).every(([field, tolerance]) => agrees(said[field], quota[field], tolerance));
const whole = (said, quota) =>
  fits(said, quota) && Object.keys(FIELDS).every((field) => quota[field] === null || number(said[field]));

function show({ limit, remaining, reset_at }) {
  const reset = number(reset_at) ? new RealDate(reset_at * 1000).toISOString() : '-';
  return `limit ${limit ?? '-'}, remaining ${remaining ?? '-'}, reset ${reset}`;
}

function judge(recording, said) {
  if (said === undefined) return 'nothing';
  if (said.failure) return 'error';
  if (recording.expected.quotas.some((quota) => whole(said, quota))) return 'right';
  return recording.expected.quotas.some((quota) => fits(said, quota)) ? 'in part' : 'wrong';
}

function explained(binary, { response, url }) {
  try {
    const flags = ['explain', '--format', 'json', '--request-url', url];
    return execFileSync(binary, flags, { input: response, encoding: 'utf8' });
  } catch (error) {
    if (error.status !== 3) throw error;  // 3: the response says nothing about limits
    return error.stdout;
  }
}

const binary = process.argv[2] ?? 'build/apiquota';
const all = recordings();
const counts = { right: 0, 'in part': 0, wrong: 0, nothing: 0, error: 0 };
const wrong = [];
let exact = 0;
let quotas = 0;
for (const recording of all) {
  quotas += recording.expected.quotas.length;
  const said = parsed(recording);
  const verdict = judge(recording, said);
  counts[verdict] += 1;
  if (verdict === 'wrong') wrong.push([recording, said]);
  const json = JSON.parse(explained(binary, recording));
  exact += JSON.stringify(json.quotas) === JSON.stringify(recording.expected.quotas) ? 1 : 0;
}
const { version } = JSON.parse(readFileSync(join(HERE, 'node_modules/ratelimit-header-parser/package.json')));
console.log(`${all.length} responses that speak of ${quotas} quotas\n`);
console.log(`ratelimit-header-parser ${version}, which gives one quota a response:`);
console.log(`  ${counts.right} one quota right · ${counts['in part']} in part · ${counts.wrong} wrong · ` +
  `${counts.nothing} nothing · ${counts.error} an exception`);
console.log(`apiquota: ${exact} all quotas as the recording's JSON says\n`);
console.log('Wrong by ratelimit-header-parser:');
for (const [recording, said] of wrong) {
  console.log(`  ${recording.name}\n    reads ${show(said)}`);
  for (const quota of recording.expected.quotas) console.log(`    ${quota.quota}: ${show(quota)}`);
}
