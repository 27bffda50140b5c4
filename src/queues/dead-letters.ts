import type { Problem } from "../domain/outcome.ts";
import { type ConsumerDeps, text } from "./consumer.ts";

export interface DeadLettersDeps extends Pick<ConsumerDeps, "log"> {
  /**
   * One transaction: the letter, and the job or delivery behind it marked failed. The same message
   * twice is one letter.
   */
  readonly file: (message: Message<unknown>, error: Problem) => Promise<void>;
}

/**
 * Files what a queue gave up on: messages whose consumer died without a verdict again and again. If
 * even filing fails the message waits and, after its retries, goes round to the other dead-letter
 * queue instead of being deleted.
 */
export async function consumeDeadLetters(
  batch: MessageBatch<unknown>,
  deps: DeadLettersDeps,
): Promise<void> {
  for (const message of batch.messages) {
    try {
      await deps.file(message, {
        code: "queue.retries_exhausted",
        detail: "the queue's retries ran out without a verdict from its consumer",
      });
      message.ack();
    } catch (error) {
      deps.log({
        level: "error",
        message: "dead letter not filed",
        messageId: message.id,
        error: text(error),
      });
      message.retry({ delaySeconds: 60 });
    }
  }
}
