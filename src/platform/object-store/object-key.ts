const OBJECT_KEY = /^[A-Za-z0-9/_.-]{1,200}$/;

/** Both stores take the same keys, so that what works in a folder works in a bucket, and no key can climb out of the folder. */
export function assertObjectKey(key: string): void {
  if (OBJECT_KEY.test(key) && !key.includes('..') && key.split('/').every(isNamed)) return;
  throw new Error(`object key refused: ${JSON.stringify(key.slice(0, 200))}`);
}

function isNamed(segment: string): boolean {
  return segment !== '' && segment !== '.';
}
