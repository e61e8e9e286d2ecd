// Runs http-tests/cache-tests (the folder of argv[2]) against the cache at the base URL of argv[3], its tests
// of staleness at that of argv[4], and prints one JSON array: of each test its group, name, kind and result,
// in the suite's own words. With --server (port: npm_config_port) it is the suite's origin server instead.
import http from 'node:http'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, base, staleBase] = process.argv.slice(2)
const load = (file) => import(pathToFileURL(path.join(folder, file)).href)

if (base === '--server') {
  const create = http.createServer
  // A connection that is closed while a request comes along is a failure of the API, which no test asks for.
  http.createServer = (...args) => Object.assign(create(...args), { keepAliveTimeout: 600_000 })
  await load('test-engine/server/server.mjs')
} else {
  await runAll()
}

async function runAll () {
  const { default: groups } = await load('tests/index.mjs')
  const { runTests, getResults } = await load('test-engine/client/runner.mjs')
  const { determineTestResult, resultTypes } = await load('test-engine/lib/results.mjs')
  // What it runs in browsers alone is about private caches, like ours, but for modes of fetch that need one.
  for (const test of groups.flatMap((group) => group.tests)) {
    if (!test.requests.some((request) => 'cache' in request)) delete test.browser_only
  }
  console.log = console.error // standard output is for the results alone
  await runTests(groups.filter((group) => group.id !== 'stale'), false, base, 60)
  await runTests(groups.filter((group) => group.id === 'stale'), false, staleBase)
  const results = getResults()
  const nameOf = new Map(Object.entries(resultTypes).map(([name, type]) => [type, name]))
  const rows = groups.flatMap((group) => group.tests.map((test) => {
    const said = results[test.id]
    return {
      group: group.id,
      title: group.name,
      id: test.id,
      name: test.name,
      kind: test.kind ?? 'required',
      cdn: test.cdn_only === true || group.id === 'cdn-cache-control',
      depends: test.depends_on ?? [],
      alone: nameOf.get(determineTestResult(groups, test.id, results, false)),
      result: nameOf.get(determineTestResult(groups, test.id, results)),
      detail: Array.isArray(said) ? said.join(': ') : ''
    }
  }))
  process.stdout.write(JSON.stringify(rows), () => process.exit(0)) // connections may still be open
}
