/** Parts of names of what nobody should read, without what spellings differ in: case, hyphens, blanks, dots. */
const SENSITIVE =
  /auth|token|secret|passw|passphrase|pwd|apikey|accesskey|privatekey|encryptionkey|signingkey|credential|signature|session|cookie|bearer|jwt/;

/** Whether something of this name (a header, a field) is taken for a credential, however it is spelled. */
export function isSensitiveName(name: string): boolean {
  return SENSITIVE.test(
    name
      .normalize('NFKC')
      .toLowerCase()
      .replaceAll(/[^a-z0-9]/g, ''),
  );
}
