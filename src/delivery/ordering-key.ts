interface KeyedEvent {
  envelope: string;
  logicalGuid: string | null;
}

/** What keeps its order among events: as the event says, else what it is about, else where it belongs. */
export function orderingKeyOf({ envelope, logicalGuid }: KeyedEvent): string {
  const { ordering_key, resource_id } = JSON.parse(envelope) as { ordering_key?: string; resource_id?: string };
  return ordering_key ?? resource_id ?? logicalGuid ?? '';
}
