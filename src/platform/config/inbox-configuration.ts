import type { EnvironmentReader } from './environment-reader.js';

export type InboxName = 'scm' | 'ics' | 'pcm';

/** The inbox services of the stack, which alerts notify: the operator's own addresses, which may be private. */
export interface InboxConfiguration {
  urls: Readonly<Partial<Record<InboxName, string>>>;
  /** Set where one of them is. */
  signingSecret: string | undefined;
}

export function readInboxConfiguration(read: EnvironmentReader): InboxConfiguration {
  const given = {
    scm: read.url('INBOX_SCM_URL', ['http:', 'https:']),
    ics: read.url('INBOX_ICS_URL', ['http:', 'https:']),
    pcm: read.url('INBOX_PCM_URL', ['http:', 'https:']),
  };
  const urls = Object.fromEntries(Object.entries(given).filter(([, url]) => url !== undefined));
  const signingSecret = read.secret('INBOX_SIGNING_SECRET', 24);
  if (Object.keys(urls).length > 0 && signingSecret === undefined)
    read.problem('INBOX_SIGNING_SECRET', 'is missing: what notifications to the inbox services are signed with');
  return { urls, signingSecret };
}
