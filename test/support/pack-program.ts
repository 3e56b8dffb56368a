// A program that packs what its argument says, for tests that kill it.
import { runPack } from './pack-stage.ts';

await runPack(JSON.parse(process.argv[2] ?? '{}'));
