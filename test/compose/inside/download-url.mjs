// A signed URL for an object, as clients outside get it.
import { readConfiguration } from '/app/dist/platform/config/configuration.js';
import { openObjectStore } from '/app/dist/platform/object-store/open-object-store.js';

const store = openObjectStore(readConfiguration(process.env).objectStore);
const life = { openedAt: new Date(), lifetimeSeconds: 300 };
const url = await store.downloadUrl(process.argv[1], { fileName: 'kept.txt', contentType: 'text/plain', ...life });
console.log(JSON.stringify(url));
