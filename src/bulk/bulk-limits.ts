export const DEFAULT_EXPORT_RECORDS = 100_000;
export const MAX_EXPORT_RECORDS = 10_000_000;
/** Jobs of an organisation that wait for an upload, for their turn or for their end. */
export const MAX_OPEN_JOBS = 1_000;
/** So long an upload may take, and so long its address works. */
export const UPLOAD_SECONDS = 24 * 60 * 60;
/** How long an address for downloading works: who asks again gets a new one. */
export const DOWNLOAD_SECONDS = 60 * 60;
export const MAX_LINE_BYTES = 256 * 1024;
/** What a packed upload may become. Lines of JSON shrink to a tenth; what grows more than that by far is made to fill the disk. */
export const MAX_UNPACKED_BYTES = 100 * 1024 ** 3;
export const MAX_UNPACKED_RATIO = 200;
/** Of one transaction: short, because the organisation's log is held for it. */
export const EVENTS_A_CHUNK = 500;
/** Bad lines that a report names. The others are counted. */
export const MAX_REPORTED_LINES = 10_000;
