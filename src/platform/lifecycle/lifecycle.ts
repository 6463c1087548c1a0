import { AppError } from '../errors/app-error.js';
import { platformErrors } from '../errors/platform.errors.js';

export interface Transition<State extends string> {
  from: State;
  to: State;
  /** When and by whom, in one sentence; `/lifecycle/list` shows it. */
  rule: string;
}

export interface LifecycleDefinition<State extends string> {
  service: string;
  name: string;
  states: readonly State[];
  transitions: readonly Transition<State>[];
}

/** A state machine as data: the code asks it whether a step is legal, and `/lifecycle/list` serves the same object. */
export class Lifecycle<State extends string> implements LifecycleDefinition<State> {
  readonly service: string;
  readonly name: string;
  readonly states: readonly State[];
  readonly transitions: readonly Transition<State>[];

  constructor({ service, name, states, transitions }: LifecycleDefinition<State>) {
    this.service = service;
    this.name = name;
    this.states = states;
    this.transitions = transitions;
    for (const { from, to } of transitions) {
      if (!states.includes(from) || !states.includes(to))
        throw new Error(`lifecycle ${name} has no state ${from} or ${to}`);
    }
  }

  allows(from: State, to: State): boolean {
    return this.transitions.some((transition) => transition.from === from && transition.to === to);
  }

  assertStep(from: State, to: State): void {
    if (!this.allows(from, to)) {
      throw new AppError(platformErrors.lifecycleStepRefused, { details: { lifecycle: this.name, from, to } });
    }
  }
}
