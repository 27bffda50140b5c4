import { expect } from "vitest";

/**
 * The kit for deciders: `given(events).when(command).then(events)` or `.thenRefused(code)`. A
 * decider is three pure functions; the kit folds the given events, decides, and compares. It also
 * folds what was decided, so that a decider which decides something its own `evolve` cannot take is
 * found out at once.
 */
export interface Decider<State, Command, Event> {
  readonly initial: () => State;
  readonly evolve: (state: State, event: Event) => State;
  readonly decide: (state: State, command: Command) => Decided<Event>;
}

/** The facts a command makes true, or the code of its refusal. */
export type Decided<Event> = readonly Event[] | { readonly refused: string };

const isRefusal = <E>(decided: Decided<E>): decided is { readonly refused: string } =>
  "refused" in decided;

export function specification<State, Command, Event>(decider: Decider<State, Command, Event>) {
  const fold = (events: readonly Event[]): State =>
    events.reduce(decider.evolve, decider.initial());

  const given = (...events: readonly Event[]) => ({
    /** Several commands run one after the other; the last one is what is looked at. */
    when: (...commands: readonly Command[]) => {
      const history = [...events];
      let decided: Decided<Event> = [];
      for (const command of commands) {
        const before = JSON.stringify(fold(history));
        decided = decider.decide(fold(history), command);
        // Deciding twice decides the same, and changes nothing that it looked at.
        expect(decider.decide(fold(history), command)).toEqual(decided);
        expect(JSON.stringify(fold(history))).toBe(before);
        if (!isRefusal(decided)) history.push(...decided);
        fold(history);
      }
      return {
        /**
         * Each expected event is compared with what it says; what it leaves out is not looked at.
         */
        then: (...expected: readonly unknown[]) => {
          expect(decided).toHaveLength(expected.length);
          expect(decided).toMatchObject(expected);
        },
        thenNothing: () => expect(decided).toEqual([]),
        thenRefused: (code: string) => expect(decided).toEqual({ refused: code }),
        /** The state after everything that was given and decided. */
        thenState: (check: (state: State) => void) => check(fold(history)),
      };
    },
  });
  return { given, fold };
}
