import { setTimeout as sleep } from 'node:timers/promises';

export const COMES_BACK_WITHIN_MS = 90_000;
export const ASK_AGAIN_MS = 100;

/** Whatever is asked of something that others take away for a while. */
export async function again<T>(act: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + COMES_BACK_WITHIN_MS; ; await sleep(ASK_AGAIN_MS)) {
    try {
      return await act();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}
