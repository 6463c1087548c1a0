export interface StoredEvent {
  position: bigint;
  recordedAt: Date;
  envelope: string;
}

/** An event as feed, webhooks and exports show it. */
export function renderedEvent({ position, recordedAt, envelope }: StoredEvent): string {
  return `${envelope.slice(0, -1)},"recorded_at":"${recordedAt.toISOString()}","position":"${position}"}`;
}
