// Puts an object when text is given; answers what the store holds.
import { readConfiguration } from '/app/dist/platform/config/configuration.js';
import { openObjectStore } from '/app/dist/platform/object-store/open-object-store.js';

const [key, text] = process.argv.slice(1);
const store = openObjectStore(readConfiguration(process.env).objectStore);
if (text !== undefined) await store.put(key, Buffer.from(text));
const chunks = await (await store.get(key))?.toArray();
console.log(JSON.stringify(chunks ? Buffer.concat(chunks).toString() : null));
