import type { FileLinks } from './file-links.js';
import { FolderObjectStore } from './folder-object-store.js';
import type { ObjectStoreConfiguration } from './object-store-options.js';
import type { ObjectStore } from './object-store.js';
import { S3ObjectStore } from './s3-object-store.js';

/** @param links are for a folder, which cannot serve its URLs by itself */
export function openObjectStore(options: ObjectStoreConfiguration, links: FileLinks): ObjectStore {
  return options.kind === 'folder' ? new FolderObjectStore(options, links) : new S3ObjectStore(options);
}
