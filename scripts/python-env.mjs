// Makes the Python environments that comparing tests use: `node scripts/python-env.mjs energon`. What
// cannot be made is said and left out; the tests that want it are then skipped.
import { makeEnvironment, readEnvironments } from './setup/python-env.mjs';

const log = (line) => process.stderr.write(`${line}\n`);
const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : Object.keys(readEnvironments())) {
  const reason = makeEnvironment(name, { log });
  log(
    reason === undefined ? `Python environment ${name}: ready` : `${name} is left out: ${reason}`,
  );
}
