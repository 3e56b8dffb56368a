// Checks that the machine has the tools set-up needs, and says how to install what is missing.
import { spawnSync } from 'node:child_process';

/** Tool, the arguments that make it answer, why it is needed, and the command that installs it. */
const TOOLS = [
  ['npm', ['--version'], 'installs the JavaScript packages', 'apt-get install npm'],
  ['python3', ['--version'], 'fetches libtorch', 'apt-get install python3'],
  ['python3', ['-m', 'pip', '--version'], 'fetches libtorch', 'apt-get install python3-pip'],
  ['c++', ['--version'], 'compiles the addon', 'apt-get install g++'],
  ['cmake', ['--version'], 'compiles the addon', 'apt-get install cmake'],
  ['tar', ['--version'], 'unpacks the corpus', 'apt-get install tar'],
];

/** @returns {string[]} one line for each missing tool: what, why, and the command that installs it */
export function missingTools() {
  const missing = [];
  for (const [tool, args, purpose, install] of TOOLS) {
    if (spawnSync(tool, args, { stdio: 'ignore' }).status !== 0) {
      missing.push(`${[tool, ...args].join(' ')} does not run (${purpose}): ${install}`);
    }
  }
  return missing;
}
