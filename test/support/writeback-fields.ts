export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** The fields that document 002 gives each shape. */
export const SUMMARY_FIELDS = [
  'jobId',
  'noteId',
  'status',
  'operatorStatus',
  'reasonCode',
  'attempts',
  'replayOfJobId',
  'replayedJobId',
  'updatedAt',
];
export const JOB_FIELDS = [
  'jobId',
  'noteId',
  'ehr',
  'status',
  'attempts',
  'operatorStatus',
  'lastError',
  'reasonCode',
  'replayOfJobId',
  'replayedJobId',
  'createdAt',
  'updatedAt',
];
export const LINKAGE_FIELDS = [
  'originalJobId',
  'isReplay',
  'hasReplay',
  'replayOfJobId',
  'replayedJobId',
  'replayJobStatus',
];

export const fieldsOf = (value: object): string[] => Object.keys(value).sort();
export const exactly = (fields: readonly string[]): string[] => [...fields].sort();
