// main.js FOLDER: writes the dashboards into it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { agent } from "./agent";
import { api } from "./api";
import { guard } from "./guard";
import { overview } from "./overview";

const folder = process.argv[2];
if (folder === undefined) throw new Error("usage: node main.js FOLDER");
for (const [name, text] of Object.entries({ overview, api, guard, agent })) {
  writeFileSync(join(folder, `${name}.json`), text);
}
