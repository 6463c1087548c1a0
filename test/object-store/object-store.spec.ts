import type { ObjectStore } from '../../src/platform/object-store/object-store.js';
import { openObjectStore } from '../../src/platform/object-store/open-object-store.js';
import { behavesAsObjectStore } from './conformance.js';
import { folderLinks } from './folder-links.js';
import { startFolderUnderTest, type FolderUnderTest } from './folder-under-test.js';
import { startS3UnderTest, type S3UnderTest } from './s3-under-test.js';

describe('the object store in a folder', () => {
  let folder: FolderUnderTest;

  beforeAll(async () => {
    folder = await startFolderUnderTest();
  });

  behavesAsObjectStore(() => folder.store);

  afterAll(() => folder.stop());
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
