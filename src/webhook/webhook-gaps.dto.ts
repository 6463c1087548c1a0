/** Positions after `after` up to `to`, that a webhook missed. */
export interface Gap {
  after: string;
  to: string;
}
