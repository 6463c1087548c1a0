import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ObjectStore } from '../../src/platform/object-store/object-store.js';
import { openObjectStore } from '../../src/platform/object-store/open-object-store.js';
import { behavesAsObjectStore } from './conformance.js';
import { folderLinks } from './folder-links.js';
import { startS3UnderTest, type S3UnderTest } from './s3-under-test.js';

describe('the object store in a folder', () => {
  let folder: string;
  let store: ObjectStore;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'ipm-objects-'));
    store = openObjectStore({ kind: 'folder', folder: path.join(folder, 'made/at/first/use') }, folderLinks());
  });

  behavesAsObjectStore(() => store);

  afterAll(() => rm(folder, { recursive: true }));
});

describe('the object store in S3', () => {
  let s3: S3UnderTest;
  let store: ObjectStore;

  beforeAll(async () => {
    s3 = await startS3UnderTest();
    store = openObjectStore(s3, folderLinks());
  });

  behavesAsObjectStore(() => store);

  afterAll(() => s3.stop());
});
