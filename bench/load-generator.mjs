// Runs autocannon with the options on stdin; its result and its own CPU time go to stdout.
import { text } from 'node:stream/consumers';
import autocannon from 'autocannon';

const options = JSON.parse(await text(process.stdin));
const result = await autocannon(options);
const { user, system } = process.cpuUsage();
process.stdout.write(JSON.stringify({ ...result, cpuSeconds: (user + system) / 1e6 }));
