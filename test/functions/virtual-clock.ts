/** A clock that only pauses advance. */
export function virtualClock() {
  let milliseconds = 0;
  return {
    now: () => milliseconds,
    pause: async (pause: number) => {
      milliseconds += pause;
    },
  };
}
